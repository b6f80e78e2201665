# expect: nothing
"""Ein großes Netz lehrt ein kleines: weiche Ziele aus dem Lehrer."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(17)
T, MISCHUNG = 2.0, 0.5

bilder, ziffern = load_digits(return_X_y=True)
a, b, ya, yb = train_test_split(bilder, ziffern, test_size=0.3, stratify=ziffern, random_state=17)
a, b = (torch.tensor(m / 16.0 - 0.3, dtype=torch.float32) for m in (a, b))
ya, yb = torch.tensor(ya), torch.tensor(yb)


def netz(breite):
    return nn.Sequential(nn.Linear(64, breite), nn.ReLU(), nn.Linear(breite, 10))


def harte_ziele(logits, idx, _):
    return F.cross_entropy(logits, ya[idx])


def weiche_ziele(logits, idx, lehrer):
    with torch.no_grad():
        ziel = F.softmax(lehrer(a[idx]) / T, dim=1)
    weich = F.cross_entropy(logits / T, ziel) * T * T
    return MISCHUNG * weich + (1 - MISCHUNG) * F.cross_entropy(logits, ya[idx])


def lerne(modell, ziel, epochen, lehrer=None, rate=5e-3):
    """Gewichte werden gleitend gemittelt; zurück kommt das gemittelte Netz."""
    mittel = copy.deepcopy(modell).requires_grad_(False)
    opt = torch.optim.Adam(modell.parameters(), lr=rate)
    for epoche in range(epochen):
        summe = 0.0
        for idx in torch.randperm(len(a)).split(64):
            verlust = ziel(modell(a[idx]), idx, lehrer)
            for p in modell.parameters():
                p.grad = None
            verlust.backward()
            opt.step()
            for m, p in zip(mittel.parameters(), modell.parameters()):
                m.data.lerp_(p.data, 0.05)
            summe += verlust.detach() * len(idx)
    print(f"  Verlust der letzten Epoche {summe / len(a):.3f}")
    return mittel.eval()


@torch.no_grad()
def treffer(modell):
    return (modell(b).argmax(1) == yb).float().mean().item()


print("Lehrer")
lehrer = lerne(netz(128), harte_ziele, 14)
print("Schüler allein")
allein = lerne(netz(12), harte_ziele, 14)
print("Schüler mit Lehrer")
gelehrt = lerne(netz(12), weiche_ziele, 14, lehrer)
for name, m in (("Lehrer", lehrer), ("allein", allein), ("gelehrt", gelehrt)):
    print(f"{name:8s} Treffer im Test {treffer(m):.3f}")
