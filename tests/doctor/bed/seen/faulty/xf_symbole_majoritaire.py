# expect: grad_cleared_before_step @ 63
# allowed: grad_cleared_before_step @ 68
# allowed: grad_cleared_before_step @ 69
"""Petit transformer qui apprend à nommer le symbole le plus fréquent d'une suite."""
import math
import torch
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader

torch.manual_seed(42)
N_SYMB, LONG = 8, 11


def fabrique(n):
    x = torch.randint(0, N_SYMB, (n, LONG))
    y = torch.arange(n) % N_SYMB
    places = torch.rand(n, LONG).argsort(1)[:, :4]
    x.scatter_(1, places, y.unsqueeze(1).expand(-1, 4))
    compte = nn.functional.one_hot(x, N_SYMB).sum(1)
    net = compte.topk(2).values
    garde = (net[:, 0] > net[:, 1]) & (compte.argmax(1) == y)
    return TensorDataset(x[garde], y[garde])


class Positions(nn.Module):
    def __init__(self, dim):
        super().__init__()
        pe = torch.zeros(LONG, dim)
        p = torch.arange(LONG).unsqueeze(1)
        f = torch.exp(torch.arange(0, dim, 2) * (-math.log(100.0) / dim))
        pe[:, 0::2] = torch.sin(p * f)
        pe[:, 1::2] = torch.cos(p * f)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe


class Lecteur(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.emb = nn.Embedding(N_SYMB, dim)
        self.pos = Positions(dim)
        couche = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True)
        self.bloc = nn.TransformerEncoder(couche, 1)
        self.sortie = nn.Linear(dim, N_SYMB)

    def forward(self, x):
        return self.sortie(self.bloc(self.pos(self.emb(x))).mean(1))


class Entraineur:
    def __init__(self, modele, pas=4e-3, norme_max=1.0):
        self.modele = modele
        self.opt = torch.optim.Adam(modele.parameters(), lr=pas)
        self.critere = nn.CrossEntropyLoss()
        self.norme_max = norme_max
        self.normes = []

    def _suivi(self):
        norme = nn.utils.clip_grad_norm_(self.modele.parameters(), self.norme_max)
        self.normes.append(norme.item())
        self.opt.zero_grad()

    def _lot(self, x, y):
        perte = self.critere(self.modele(x), y)
        perte.backward()
        self._suivi()
        self.opt.step()
        return perte.item()

    def epoque(self, charg):
        self.modele.train()
        self.normes.clear()
        pertes = [self._lot(x, y) for x, y in charg]
        return sum(pertes) / len(pertes), sum(self.normes) / len(self.normes)

    @torch.no_grad()
    def precision(self, charg):
        self.modele.eval()
        justes = sum((self.modele(x).argmax(1) == y).sum().item() for x, y in charg)
        return justes / len(charg.dataset)


appr = DataLoader(fabrique(1600), batch_size=50, shuffle=True)
test = DataLoader(fabrique(600), batch_size=200)
e = Entraineur(Lecteur())
for k in range(3):
    perte, norme = e.epoque(appr)
    print(f"époque {k}: perte {perte:.3f}  norme {norme:.3f}")
print("précision test: %.3f" % e.precision(test))
