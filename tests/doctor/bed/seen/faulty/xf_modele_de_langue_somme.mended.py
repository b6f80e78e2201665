# expect: nothing
"""Modèle de langue par caractères (GRU) sur des mots inventés, évalué en perplexité."""
import math
import random

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Sampler

random.seed(9)
torch.manual_seed(9)

SYLLABES = ["ba", "lo", "mi", "ru", "ten", "sol", "pra", "chi", "ve", "gan"]
FINS = ["s", "tion", "eur", "elle"]
LETTRES = sorted(set("".join(SYLLABES + FINS)))
DEBUT, FIN, VIDE = len(LETTRES), len(LETTRES) + 1, len(LETTRES) + 2
INDICE = {c: i for i, c in enumerate(LETTRES)}


def mot():
    debut = random.randrange(len(SYLLABES))
    suite = [SYLLABES[(debut + 3 * k) % len(SYLLABES)] for k in range(random.randint(2, 4))]
    return "".join(suite) + random.choice(FINS) + "".join(random.choices(LETTRES, k=2))


class ParLongueur(Sampler):
    """Lots de mots de longueurs voisines, dans un ordre tiré à chaque époque."""

    def __init__(self, mots, taille):
        self.mots, self.taille = mots, taille

    def __iter__(self):
        ordre = sorted(range(len(self.mots)), key=lambda i: (len(self.mots[i]), random.random()))
        lots = [ordre[i:i + self.taille] for i in range(0, len(ordre), self.taille)]
        random.shuffle(lots)
        return iter(lots)

    def __len__(self):
        return math.ceil(len(self.mots) / self.taille)


def assembler(mots):
    ids = [torch.tensor([DEBUT] + [INDICE[c] for c in m] + [FIN]) for m in mots]
    ids = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=VIDE)
    return ids[:, :-1], ids[:, 1:]


class Langue(nn.Module):
    def __init__(self, n, dim=16, cache=32):
        super().__init__()
        self.emb = nn.Embedding(n, dim, padding_idx=VIDE)
        self.gru = nn.GRU(dim, cache, batch_first=True)
        self.sortie = nn.Linear(cache, n)

    def forward(self, x):
        return self.sortie(self.gru(self.emb(x))[0])


critere = nn.CrossEntropyLoss(ignore_index=VIDE, reduction="sum")


def passe(modele, lots, opt=None):
    """Perplexité par caractère ; apprend si un optimiseur est donné."""
    modele.train(opt is not None)
    total = lettres = 0
    for x, y in lots:
        with torch.set_grad_enabled(opt is not None):
            somme = critere(modele(x).flatten(0, 1), y.flatten())
        n = (y != VIDE).sum().item()
        if opt is not None:
            opt.zero_grad()
            (somme / n).backward()
            opt.step()
        total += somme.item()
        lettres += n
    return math.exp(total / lettres)


corpus = sorted({mot() for _ in range(1500)})
random.shuffle(corpus)
appr, test = corpus[:1100], corpus[1100:]
lots_appr = DataLoader(appr, batch_sampler=ParLongueur(appr, 25), collate_fn=assembler)
lots_test = DataLoader(test, batch_size=100, collate_fn=assembler)

lm = Langue(len(LETTRES) + 3)
sgd = torch.optim.SGD(lm.parameters(), lr=0.3, momentum=0.9)
for epoque in range(6):
    ppl = passe(lm, lots_appr, sgd)
    print(f"époque {epoque + 1}  perplexité {ppl:.4g}")
print(f"test : perplexité {passe(lm, lots_test):.4g} pour {len(LETTRES)} lettres")
