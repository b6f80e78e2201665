# expect: nothing
"""Klangerkennung auf synthetischen Tönen: zwei Faltungen, alles mit rohen Tensoren.

Drei Klassen (Sinus mit Obertönen, Chirp, amplitudenmoduliert) in starkem Rauschen.
"""
import argparse
import math

import torch
import torch.nn.functional as F

LAENGE = 256


def erzeuge(n, gen):
    t = torch.linspace(0, 1, LAENGE)
    klasse = torch.randint(0, 3, (n,), generator=gen)
    f0 = 8 + 12 * torch.rand(n, 1, generator=gen)
    phase = 2 * math.pi * torch.rand(n, 1, generator=gen)
    obertoene = torch.sin(2 * math.pi * f0 * t + phase) + 0.7 * torch.sin(6 * math.pi * f0 * t + phase)
    chirp = 1.2 * torch.sin(2 * math.pi * (f0 * t + 12 * t ** 2) + phase)
    am = 1.5 * (0.5 + 0.5 * torch.sin(10 * math.pi * t)) * torch.sin(2 * math.pi * f0 * t + phase)
    signal = torch.stack([obertoene, chirp, am])[klasse, torch.arange(n)]
    signal = signal + 0.8 * torch.randn(n, LAENGE, generator=gen)
    # jede Aufnahme für sich auf Mittel 0, Streuung 1 bringen
    signal = (signal - signal.mean(1, keepdim=True)) / signal.std(1, keepdim=True)
    return signal.unsqueeze(1), klasse


def parameter(gen):
    def he(*form):
        ein = math.prod(form[1:])
        return (torch.randn(*form, generator=gen) * math.sqrt(2 / ein)).requires_grad_()

    def null(n):
        return torch.zeros(n, requires_grad=True)

    return dict(k1=he(12, 1, 15), c1=null(12), k2=he(24, 12, 9), c2=null(24),
                W=he(48, 48), b=null(48), V=he(3, 48), d=null(3))


def vorwaerts(p, x, training=True):
    h = F.relu(F.conv1d(x, p["k1"], p["c1"], stride=2))
    h = F.relu(F.conv1d(h, p["k2"], p["c2"], stride=2))
    h = torch.cat([h.mean(dim=2), h.amax(dim=2)], dim=1)
    h = F.dropout(h, 0.4, training=training)
    h = F.relu(F.linear(h, p["W"], p["b"]))
    h = F.dropout(h, 0.4, training=training)
    return F.linear(h, p["V"], p["d"])


def bewerte(p, x, y):
    treffer, verlust = 0, 0.0
    with torch.no_grad():
        for xb, yb in zip(x.split(100), y.split(100)):
            z = vorwaerts(p, xb, training=False)
            treffer += (z.argmax(dim=1) == yb).sum().item()
            verlust += F.cross_entropy(z, yb, reduction="sum").item()
    return verlust / len(y), treffer / len(y)


def adam_schritt(p, grads, zustand, lr, betas=(0.9, 0.99)):
    zustand["t"] += 1
    t = zustand["t"]
    with torch.no_grad():
        for (name, w), g in zip(p.items(), grads):
            m, v = zustand.setdefault(name, (torch.zeros_like(w), torch.zeros_like(w)))
            m.lerp_(g, 1 - betas[0])
            v.lerp_(g * g, 1 - betas[1])
            w -= lr * (m / (1 - betas[0] ** t)) / ((v / (1 - betas[1] ** t)).sqrt() + 1e-8)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochen", type=int, default=14)
    ap.add_argument("--lr", type=float, default=4e-3)
    ap.add_argument("--saat", type=int, default=5)
    arg = ap.parse_args()

    gen = torch.Generator().manual_seed(arg.saat)
    torch.manual_seed(arg.saat)
    xt, yt = erzeuge(600, gen)
    xv, yv = erzeuge(200, gen)
    xp, yp = erzeuge(300, gen)
    p = parameter(gen)
    zustand = {"t": 0}
    for epoche in range(arg.epochen):
        summe = 0.0
        for i in torch.randperm(len(yt), generator=gen).split(50):
            verlust = F.cross_entropy(vorwaerts(p, xt[i]), yt[i])
            adam_schritt(p, torch.autograd.grad(verlust, list(p.values())), zustand, arg.lr)
            summe += verlust.item() * len(i)
        lv, av = bewerte(p, xv, yv)
        print(f"Epoche {epoche}: Training {summe / len(yt):.3f}  Validierung {lv:.3f} / {av:.3f}")
    lp, ap_ = bewerte(p, xp, yp)
    print(f"Prüfung: Verlust {lp:.3f}, Trefferquote {ap_:.3f}")


if __name__ == "__main__":
    main()
