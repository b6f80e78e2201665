# expect: missing_eval @ 73
# allowed: missing_eval @ 72
# allowed: missing_eval @ 75
# allowed: missing_eval @ 88
# Classer de petites phrases (question / ordre / constat) avec un transformer
import random
import torch
import torch.nn as nn
from torch.utils.data import DataLoader

random.seed(4)
torch.manual_seed(4)

noms = "chat chien train livre jardin pain facteur soleil".split()
verbes = "voit prend cherche trouve aime porte".split()
extra = "hier demain souvent ici encore vite".split()
mots = ["<pad>", "<cls>", "est-ce", "que", "qui", "donc", "le", "moi"] + noms + verbes + extra
idx = {m: i for i, m in enumerate(mots)}


def phrase():
    classe = random.randrange(3)
    sujet = ["le", random.choice(noms), random.choice(verbes), "le", random.choice(noms)]
    if classe == 0:
        p = random.choice([["est-ce", "que"], ["qui"]]) + sujet[-3:]
    elif classe == 1:
        p = [random.choice(verbes)] + random.choice([["moi"], ["donc"]]) + sujet[-2:]
    else:
        p = sujet + random.choice([["donc"], ["qui", random.choice(verbes)], []])
    for _ in range(random.randint(0, 3)):
        p.insert(random.randint(0, len(p)), random.choice(extra))
    if random.random() < 0.3:
        p[random.randrange(len(p))] = random.choice(mots[2:])
    return p, classe


def assembler(lot):
    n = max(len(p) for p, _ in lot) + 1
    x = torch.zeros(len(lot), n, dtype=torch.long)
    for i, (p, _) in enumerate(lot):
        x[i, :len(p) + 1] = torch.tensor([idx["<cls>"]] + [idx[m] for m in p])
    return x, torch.tensor([c for _, c in lot])


class Classeur(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(len(mots), d, padding_idx=0)
        self.pos = nn.Embedding(16, d)
        couche = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.3, batch_first=True)
        self.enc = nn.TransformerEncoder(couche, 2, enable_nested_tensor=False)
        self.drop = nn.Dropout(0.5)
        self.tete = nn.Linear(d, 3)

    def forward(self, x):
        h = self.emb(x) + self.pos(torch.arange(x.size(1)))
        h = self.enc(h, src_key_padding_mask=x == 0)
        return self.tete(self.drop(h[:, 0]))


phrases = [phrase() for _ in range(1300)]
train, test = phrases[:1000], phrases[1000:]
dl_train = DataLoader(train, batch_size=32, shuffle=True, collate_fn=assembler)
dl_test = DataLoader(test, batch_size=100, collate_fn=assembler)

modele = Classeur()
opt = torch.optim.AdamW(modele.parameters(), lr=2e-3)
perte = nn.CrossEntropyLoss()


def tester():
    bons = 0
    with torch.no_grad():
        for x, y in dl_test:
            bons += (modele(x).argmax(1) == y).sum().item()
    return bons / len(test)


for epoque in range(6):
    modele.train()
    cumul = 0.0
    for x, y in dl_train:
        opt.zero_grad()
        l = perte(modele(x), y)
        l.backward()
        opt.step()
        cumul += l.item() * len(y)
    print(f"époque {epoque} : perte {cumul / len(train):.3f}  test {tester():.3f}")
