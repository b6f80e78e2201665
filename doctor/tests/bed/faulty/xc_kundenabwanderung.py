# expect: test_in_train @ 74
# allowed: test_in_train @ 76
# allowed: test_in_train @ 80
# mend: 74 → idx_final = np.concatenate([idx_train, idx_val])
# Kundenabwanderung (simuliert): erst die Zahl der Epochen auf der Validierung bestimmen,
# dann mit Training + Validierung neu anpassen und genau einmal testen.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_classification

SAAT = 17
MAX_EPOCHEN = 30


def teile(n, rng):
    reihenfolge = rng.permutation(n)
    return np.split(reihenfolge, [int(0.6 * n), int(0.8 * n)])


def neues_modell(n_merkmale):
    torch.manual_seed(SAAT)
    return nn.Sequential(
        nn.Linear(n_merkmale, 128), nn.ReLU(),
        nn.Linear(128, 64), nn.ReLU(),
        nn.Linear(64, 2),
    )


def epochen(modell, x, y):
    """Generator: nach jeder Epoche wird der mittlere Verlust geliefert."""
    opt = torch.optim.Adam(modell.parameters(), lr=2e-3)
    while True:
        modell.train()
        summe = 0.0
        for idx in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            verlust = F.cross_entropy(modell(x[idx]), y[idx])
            verlust.backward()
            opt.step()
            summe += verlust.item() * len(idx)
        yield summe / len(x)


@torch.no_grad()
def bewerte(modell, x, y):
    modell.eval()
    ausgabe = modell(x)
    return F.cross_entropy(ausgabe, y).item(), (ausgabe.argmax(dim=1) == y).float().mean().item()


def skaliert(X, bezug):
    mittel, streuung = X[bezug].mean(axis=0), X[bezug].std(axis=0)
    return torch.tensor((X - mittel) / streuung, dtype=torch.float32)


X, y = make_classification(
    n_samples=900, n_features=20, n_informative=8, flip_y=0.25, class_sep=0.8, random_state=SAAT
)
y = torch.tensor(y)
idx_train, idx_val, idx_test = teile(len(X), np.random.default_rng(SAAT))
X = skaliert(X, bezug=idx_train)

# 1) Wie viele Epochen?
modell = neues_modell(X.shape[1])
val_verlauf = []
for _, verlust in zip(range(MAX_EPOCHEN), epochen(modell, X[idx_train], y[idx_train])):
    val_verlauf.append(bewerte(modell, X[idx_val], y[idx_val])[0])
beste = int(np.argmin(val_verlauf)) + 1
print(f"beste Epoche {beste}, Validierungsverlust {min(val_verlauf):.4f}")

# 2) Neu anpassen mit allem, was keine Testzeile ist
idx_final = np.concatenate([idx_train, idx_test])
final = neues_modell(X.shape[1])
for nr, verlust in zip(range(1, beste + 1), epochen(final, X[idx_final], y[idx_final])):
    print(f"  Epoche {nr}: Verlust {verlust:.4f}")

# 3) Einmal testen
test_verlust, test_treffer = bewerte(final, X[idx_test], y[idx_test])
print(f"Test: Verlust {test_verlust:.4f}, Genauigkeit {test_treffer:.3f}")
