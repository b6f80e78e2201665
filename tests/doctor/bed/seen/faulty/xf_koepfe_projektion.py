# expect: params_not_in_optimizer @ 47
# allowed: params_not_in_optimizer @ 49
"""Ziffern: mehrere schmale Projektionsköpfe, danach ein kleines Netz. Alles mit rohen Tensoren."""
import math
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(4)

bilder, ziffern = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(bilder / 16.0, ziffern, test_size=0.3, stratify=ziffern, random_state=0)
Xa, Xb = (torch.tensor(m, dtype=torch.float32) for m in (Xa, Xb))
ya, yb = torch.tensor(ya), torch.tensor(yb)


def gewicht(*form):
    t = torch.randn(*form) / math.sqrt(form[-2])
    return t.requires_grad_()


def null(*form):
    return torch.zeros(*form, requires_grad=True)


def aufbauen(koepfe=2, breite=2, verdeckt=48, klassen=10):
    return {
        "proj": gewicht(koepfe, 64, breite),
        "w1": gewicht(koepfe * breite, verdeckt),
        "b1": null(verdeckt),
        "w2": gewicht(verdeckt, verdeckt),
        "b2": null(verdeckt),
        "w3": gewicht(verdeckt, klassen),
        "b3": null(klassen),
    }


def vorwaerts(p, x):
    k = torch.einsum("nd,hdk->nhk", x, p["proj"]).flatten(1)
    h = F.relu(k @ p["w1"] + p["b1"])
    h = F.relu(h @ p["w2"] + p["b2"])
    return h @ p["w3"] + p["b3"]


def optimierer(p, lr=4e-3, zerfall=1e-3):
    matrizen = [t for t in p.values() if t.ndim == 2]
    vektoren = [t for t in p.values() if t.ndim == 1]
    return torch.optim.AdamW(
        [
            {"params": matrizen, "weight_decay": zerfall},
            {"params": vektoren, "weight_decay": 0.0},
        ],
        lr=lr,
    )


def trefferquote(p, x, y):
    with torch.no_grad():
        return (vorwaerts(p, x).argmax(1) == y).float().mean().item()


p = aufbauen()
opt = optimierer(p)
for runde in range(40):
    verlust_summe = 0.0
    for idx in torch.randperm(len(ya)).split(64):
        verlust = F.cross_entropy(vorwaerts(p, Xa[idx]), ya[idx])
        opt.zero_grad()
        verlust.backward()
        opt.step()
        verlust_summe += verlust.item() * len(idx)
    if runde % 8 == 7:
        print(f"Runde {runde + 1:2d}  Verlust {verlust_summe / len(ya):.3f}  Training {trefferquote(p, Xa, ya):.3f}")

print(f"Test-Trefferquote {trefferquote(p, Xb, yb):.3f}")
