# expect: no_step @ 48
# allowed: no_step @ 46
"""Drei Netzgroessen nebeneinander auf denselben Minibatches, Zwei-Spiralen-Daten."""
import math

import torch
from torch import nn

SEED = 8
EPOCHEN = 45
BATCH = 50


def spiralen(n, rng):
    t = torch.rand(n, generator=rng).sqrt() * 2.2 * math.pi
    klasse = torch.arange(n) % 2
    phase = klasse * math.pi
    x = torch.stack([t * torch.cos(t + phase), t * torch.sin(t + phase)], dim=1)
    return x + 0.15 * torch.randn(n, 2, generator=rng), klasse


def baue(breite):
    return nn.Sequential(
        nn.Linear(2, breite), nn.Tanh(), nn.Linear(breite, breite), nn.Tanh(), nn.Linear(breite, 2)
    )


def trefferquote(netz, x, y):
    netz.eval()
    with torch.inference_mode():
        return (netz(x).argmax(dim=1) == y).float().mean().item()


def trainiere(netze, x, y):
    optimierer = {name: torch.optim.Adam(n.parameters(), lr=1e-2) for name, n in netze.items()}
    ziel = nn.CrossEntropyLoss()
    for epoche in range(EPOCHEN):
        mittel = dict.fromkeys(netze, 0.0)
        for teil in torch.randperm(len(x)).split(BATCH):
            xb, yb = x[teil], y[teil]
            for name, netz in netze.items():
                opt = optimierer[name]
                netz.train()
                opt.zero_grad()
                verlust = ziel(netz(xb), yb)
                verlust.backward()
                mittel[name] += verlust.item() * len(teil) / len(x)
            opt.step()
        if (epoche + 1) % 15 == 0:
            print(epoche + 1, {k: round(v, 4) for k, v in mittel.items()})


if __name__ == "__main__":
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    x, y = spiralen(600, rng)
    x_test, y_test = spiralen(300, rng)
    mitte, streuung = x.mean(0), x.std(0)
    x, x_test = (x - mitte) / streuung, (x_test - mitte) / streuung

    netze = {"klein": baue(16), "mittel": baue(32), "gross": baue(64)}
    trainiere(netze, x, y)
    for name, netz in netze.items():
        print(f"{name:7s} Training {trefferquote(netz, x, y):.3f}  Test {trefferquote(netz, x_test, y_test):.3f}")
