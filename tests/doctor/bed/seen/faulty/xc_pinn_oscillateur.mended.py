# expect: nothing
"""Oscillateur amorti par réseau informé par la physique (PINN).

    u'' + 2 d u' + w0^2 u = 0,   u(0) = 1,  u'(0) = 0

Les conditions initiales sont imposées par construction : u(t) = 1 + t^2 N(t).
"""
import math
from dataclasses import dataclass, replace

import torch
from torch import nn


@dataclass(frozen=True)
class Reglages:
    amortissement: float = 0.5
    pulsation: float = 3.0
    t_max: float = 2.0
    neurones: int = 24
    points: int = 64
    iterations: int = 500
    pas: float = 5e-3
    graine: int = 0


ESSAIS = {
    "defaut": Reglages(),
    "fin": replace(Reglages(), points=96),
}


class Solution(nn.Module):
    def __init__(self, r: Reglages):
        super().__init__()
        self.t_max = r.t_max
        self.noyau = nn.Sequential(
            nn.Linear(1, r.neurones), nn.Tanh(),
            nn.Linear(r.neurones, r.neurones), nn.Tanh(),
            nn.Linear(r.neurones, 1),
        )

    def forward(self, t):
        s = 2.0 * t / self.t_max - 1.0
        return 1.0 + t.square() * self.noyau(s)


def derivee(y, t):
    return torch.autograd.grad(y.sum(), t, create_graph=True)[0]


def residu(modele, t, r):
    t = t.requires_grad_(True)
    u = modele(t)
    du = derivee(u, t)
    ddu = derivee(du, t)
    return ddu + 2 * r.amortissement * du + r.pulsation ** 2 * u


def solution_exacte(t, r):
    w = math.sqrt(r.pulsation ** 2 - r.amortissement ** 2)
    return torch.exp(-r.amortissement * t) * (torch.cos(w * t) + r.amortissement / w * torch.sin(w * t))


def resoudre(r: Reglages):
    torch.manual_seed(r.graine)
    modele = Solution(r)
    optimiseur = torch.optim.Adam(modele.parameters(), lr=r.pas)
    trace = []
    for it in range(r.iterations):
        t = torch.rand(r.points, 1) * r.t_max
        perte = residu(modele, t, r).square().mean()
        optimiseur.zero_grad()
        perte.backward()
        optimiseur.step()
        trace.append(perte.item())
        if it % 100 == 0:
            print(f"it {it:4d}  résidu {trace[-1]:.4e}")
    return modele, trace


def verifier(modele, r):
    t = torch.linspace(0, r.t_max, 201).unsqueeze(1)
    modele.eval()
    with torch.no_grad():
        ecart = modele(t) - solution_exacte(t, r)
    return ecart.abs().max().item()


if __name__ == "__main__":
    r = ESSAIS["fin"]
    modele, trace = resoudre(r)
    fin = sum(trace[-50:]) / 50
    print(f"résidu moyen des 50 dernières itérations : {fin:.4e}")
    print(f"écart maximal à la solution exacte : {verifier(modele, r):.4f}")
