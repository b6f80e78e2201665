# expect: nothing
# Classification d'avis de restaurant (positif / negatif), bi-GRU et collate maison
import random
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

random.seed(5)
torch.manual_seed(5)

BONS = ["excellent", "savoureux", "chaleureux", "parfait", "copieux"]
MAUVAIS = ["froid", "lent", "fade", "sale", "decevant"]
NEUTRES = "le la plat service serveur dessert vin table hier soir avec une un et tres".split()


def fabrique(n):
    lignes = []
    for k in range(n):
        etiquette = k % 2
        mots = [random.choice(NEUTRES) for _ in range(random.randint(4, 12))]
        for _ in range(random.randint(1, 3)):
            source = BONS if etiquette == 1 else MAUVAIS
            if random.random() < 0.12:
                source = MAUVAIS if etiquette == 1 else BONS
            mots.insert(random.randrange(len(mots) + 1), random.choice(source))
        lignes.append((mots, etiquette))
    random.shuffle(lignes)
    return lignes


class Avis(Dataset):
    def __init__(self, lignes, index):
        self.x = [torch.tensor([index.get(m, 1) for m in mots]) for mots, _ in lignes]
        self.y = [float(e) for _, e in lignes]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def assemble(lot):
    xs, ys = zip(*lot)
    longueurs = torch.tensor([len(x) for x in xs])
    return pad_sequence(xs, batch_first=True), longueurs, torch.tensor(ys)


class BiGRU(nn.Module):
    def __init__(self, taille, dim=16, cache=24):
        super().__init__()
        self.emb = nn.Embedding(taille, dim, padding_idx=0)
        self.gru = nn.GRU(dim, cache, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * cache, 1)

    def forward(self, x, longueurs):
        p = pack_padded_sequence(self.emb(x), longueurs, batch_first=True, enforce_sorted=False)
        _, h = self.gru(p)
        z = self.fc(torch.cat([h[0], h[1]], dim=1)).squeeze(1)
        return z


train, test = fabrique(1000), fabrique(400)
index = {m: i + 2 for i, m in enumerate(sorted({m for mots, _ in train for m in mots}))}
dl_train = DataLoader(Avis(train, index), batch_size=40, shuffle=True, collate_fn=assemble)
dl_test = DataLoader(Avis(test, index), batch_size=100, collate_fn=assemble)

modele = BiGRU(len(index) + 2)
optim = torch.optim.Adam(modele.parameters(), lr=3e-3)

for epoque in range(6):
    modele.train()
    pertes = []
    for x, lon, y in dl_train:
        optim.zero_grad()
        perte = F.binary_cross_entropy_with_logits(modele(x, lon), y)
        perte.backward()
        optim.step()
        pertes.append(perte.item())
    print("epoque", epoque + 1, "perte", round(sum(pertes) / len(pertes), 4))

modele.eval()
juste = 0
with torch.no_grad():
    for x, lon, y in dl_test:
        proba = torch.sigmoid(modele(x, lon))
        juste += ((proba > 0.5).float() == y).sum().item()
print("exactitude test:", juste / len(test))
