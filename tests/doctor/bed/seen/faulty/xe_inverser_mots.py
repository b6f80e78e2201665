# expect: missing_no_grad @ 55
# allowed: missing_no_grad @ 58
# allowed: missing_no_grad @ 59
# Un petit transformeur qui lit un mot inventé et l'écrit à l'envers.
import math

import torch
import torch.nn as nn

torch.manual_seed(3)
LONG, ALPHABET = 7, 9


def tirer(n, graine):
    g = torch.Generator().manual_seed(graine)
    x = torch.randint(0, ALPHABET, (n, LONG), generator=g)
    return x, x.flip(1)


class Inverseur(nn.Module):
    def __init__(self, d=32, tetes=4):
        super().__init__()
        self.emb = nn.Embedding(ALPHABET, d)
        pos = torch.arange(LONG).unsqueeze(1)
        freq = torch.exp(torch.arange(0, d, 2) * (-math.log(100.0) / d))
        pe = torch.zeros(LONG, d)
        pe[:, 0::2] = torch.sin(pos * freq)
        pe[:, 1::2] = torch.cos(pos * freq)
        self.register_buffer("pe", pe)
        couche = nn.TransformerEncoderLayer(d, tetes, 64, dropout=0.05, batch_first=True)
        self.enc = nn.TransformerEncoder(couche, 2)
        self.tete = nn.Linear(d, ALPHABET)

    def forward(self, x):
        return self.tete(self.enc(self.emb(x) + self.pe))


class Essai:
    def __init__(self, modele, lr=2e-3, lot=64):
        self.modele, self.lot = modele, lot
        self.opt = torch.optim.Adam(modele.parameters(), lr=lr)
        self.perte = nn.CrossEntropyLoss()

    def epoque(self, x, y):
        self.modele.train()
        cumul = 0.0
        for idx in torch.randperm(len(x)).split(self.lot):
            self.opt.zero_grad()
            p = self.perte(self.modele(x[idx]).flatten(0, 1), y[idx].flatten())
            p.backward()
            self.opt.step()
            cumul += p.item() * len(idx)
        return cumul / len(x)

    def mesurer(self, x, y):
        self.modele.eval()
        cumul, lettres, mots = 0.0, 0, 0
        for xb, yb in zip(x.split(200), y.split(200)):
            sortie = self.modele(xb)
            cumul += self.perte(sortie.flatten(0, 1), yb.flatten()).item() * len(xb)
            juste = sortie.argmax(-1) == yb
            lettres += juste.sum().item()
            mots += juste.all(1).sum().item()
        n = len(x)
        return cumul / n, lettres / (n * LONG), mots / n


xa, ya = tirer(1500, 10)
xt, yt = tirer(600, 20)
essai = Essai(Inverseur())
for e in range(6):
    p = essai.epoque(xa, ya)
    print(f"époque {e + 1}: perte {p:.3f}")
p, lettres, mots = essai.mesurer(xt, yt)
print(f"essai: perte {p:.3f}, lettres {lettres:.3f}, mots entiers {mots:.3f}")
