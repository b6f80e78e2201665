# expect: lr_too_high @ 27
# allowed: lr_too_high @ 15
# allowed: lr_too_high @ 16
# allowed: lr_too_high @ 80
# mend: 27 →     return c.grund_rate * c.stapel / 256
"""Klassifikation der Ziffern, SGD mit Impuls von Hand, lineare Skalierung der Lernrate."""
import math
from types import SimpleNamespace

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

cfg = SimpleNamespace(
    grund_rate=0.2,      # gilt fuer eine Stapelgroesse von 256
    stapel=32,
    impuls=0.9,
    epochen=10,
    warm=1,
    breite=48,
    saat=2,
)


def lernrate(c):
    """Goyal et al.: die Rate waechst mit dem Stapel."""
    return c.grund_rate * c.stapel


def plan(schritt, gesamt, warm):
    if schritt < warm:
        return (schritt + 1) / warm
    lauf = (schritt - warm) / max(1, gesamt - warm)
    return 0.5 * (1 + math.cos(math.pi * lauf))


def daten():
    X, y = load_digits(return_X_y=True)
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    mitte = torch.tensor(Xa.mean(), dtype=torch.float32)
    breite = torch.tensor(Xa.std(), dtype=torch.float32)
    norm = lambda M: (torch.tensor(M, dtype=torch.float32) - mitte) / breite
    return norm(Xa), torch.tensor(ya), norm(Xt), torch.tensor(yt)


def netz(c):
    g = torch.Generator().manual_seed(c.saat)
    schichten = [(64, c.breite), (c.breite, c.breite), (c.breite, 10)]
    W = [torch.randn(a, b, generator=g) / math.sqrt(a) for a, b in schichten]
    b = [torch.zeros(n) for _, n in schichten]
    return [t.requires_grad_() for paar in zip(W, b) for t in paar]


def vorwaerts(t, x):
    x = torch.tanh(x @ t[0] + t[1])
    x = torch.tanh(x @ t[2] + t[3])
    return x @ t[4] + t[5]


class Impuls:
    def __init__(self, tensoren, rate, mu):
        self.tensoren, self.rate, self.mu = tensoren, rate, mu
        self.v = [torch.zeros_like(t) for t in tensoren]

    @torch.no_grad()
    def schritt(self, grads, faktor):
        for t, v, g in zip(self.tensoren, self.v, grads):
            v.mul_(self.mu).add_(g)
            t.add_(v, alpha=-self.rate * faktor)


@torch.no_grad()
def genau(t, X, y):
    return (vorwaerts(t, X).argmax(1) == y).float().mean().item()


def main(c):
    Xa, ya, Xt, yt = daten()
    t = netz(c)
    opt = Impuls(t, lernrate(c), c.impuls)
    je_epoche = math.ceil(len(Xa) / c.stapel)
    gesamt, warm = c.epochen * je_epoche, c.warm * je_epoche
    mischer = torch.Generator().manual_seed(c.saat + 1)
    k = 0
    for e in range(c.epochen):
        summe = 0.0
        for idx in torch.randperm(len(Xa), generator=mischer).split(c.stapel):
            verlust = torch.nn.functional.cross_entropy(vorwaerts(t, Xa[idx]), ya[idx])
            grads = torch.autograd.grad(verlust, t)
            opt.schritt(grads, plan(k, gesamt, warm))
            k += 1
            summe += verlust.item() * len(idx)
        print(f"Epoche {e + 1:2d}  Verlust {summe / len(Xa):.4f}")
    print(f"genau: Training {genau(t, Xa, ya):.3f}  Test {genau(t, Xt, yt):.3f}")


main(cfg)
