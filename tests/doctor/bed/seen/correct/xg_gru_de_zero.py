# expect: nothing
# GRU écrite à la main (style manuel de cours), prévision du prochain symbole
# d'une machine à états bruitée ; perplexité par époque.
import math

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(42)
generateur = torch.Generator().manual_seed(42)
N_SYMB = 8
transition = torch.softmax(2.0 * torch.randn(N_SYMB, N_SYMB, N_SYMB, generator=generateur), dim=-1)


def chaine(longueur):
    s = [0, 1]
    for _ in range(longueur):
        s.append(torch.multinomial(transition[s[-2], s[-1]], 1, generator=generateur).item())
    return torch.tensor(s)


corpus_train, corpus_test = chaine(8000), chaine(1500)


def iterateur(corpus, taille_lot, pas, hasard):
    debut = int(torch.randint(pas, (1,))) if hasard else 0
    n = (len(corpus) - debut - 1) // pas
    x = corpus[debut:debut + n * pas].view(n, pas)
    y = corpus[debut + 1:debut + 1 + n * pas].view(n, pas)
    ordre = torch.randperm(n) if hasard else torch.arange(n)
    for idx in ordre.split(taille_lot):
        yield x[idx], y[idx]


class GRUDeZero(nn.Module):
    def __init__(self, n, h):
        super().__init__()
        self.h = h
        self.W_x = nn.Parameter(torch.randn(n, 3 * h) * 0.1)
        self.W_h = nn.Parameter(torch.randn(h, 3 * h) * 0.1)
        self.b = nn.Parameter(torch.zeros(3 * h))
        self.W_q = nn.Parameter(torch.randn(h, n) * 0.1)
        self.b_q = nn.Parameter(torch.zeros(n))

    def forward(self, X):
        H = torch.zeros(X.size(0), self.h)
        entrees = F.one_hot(X, N_SYMB).float() @ self.W_x + self.b
        sorties = []
        for t in range(X.size(1)):
            zx, rx, cx = entrees[:, t].chunk(3, dim=1)
            Wz, Wr, Wc = self.W_h.chunk(3, dim=1)
            Z = torch.sigmoid(zx + H @ Wz)
            R = torch.sigmoid(rx + H @ Wr)
            C = torch.tanh(cx + (R * H) @ Wc)
            H = Z * H + (1 - Z) * C
            sorties.append(H @ self.W_q + self.b_q)
        return torch.stack(sorties, dim=1)


def ecrete(reseau, theta):
    norme = torch.sqrt(sum((p.grad ** 2).sum() for p in reseau.parameters()))
    if norme > theta:
        for p in reseau.parameters():
            p.grad.mul_(theta / norme)


class Cumul:
    def __init__(self):
        self.somme, self.n = 0.0, 0

    def ajoute(self, v, n):
        self.somme += v * n
        self.n += n

    @property
    def perplexite(self):
        return math.exp(self.somme / self.n)


reseau = GRUDeZero(N_SYMB, 48)
perte = nn.CrossEntropyLoss()
optimiseur = torch.optim.Adam(reseau.parameters(), lr=1e-2)

for epoque in range(1, 10):
    reseau.train()
    cumul = Cumul()
    for X, Y in iterateur(corpus_train, 16, 20, hasard=True):
        l = perte(reseau(X).reshape(-1, N_SYMB), Y.reshape(-1))
        optimiseur.zero_grad()
        l.backward()
        ecrete(reseau, 1.0)
        optimiseur.step()
        cumul.ajoute(l.item(), Y.numel())
    if epoque % 3 == 0:
        print(f"époque {epoque:2d} : perplexité {cumul.perplexite:.3f}")

reseau.eval()
cumul = Cumul()
with torch.no_grad():
    for X, Y in iterateur(corpus_test, 16, 20, hasard=False):
        cumul.ajoute(perte(reseau(X).reshape(-1, N_SYMB), Y.reshape(-1)).item(), Y.numel())
print(f"perplexité de test {cumul.perplexite:.3f} (hasard : {N_SYMB})")
