# expect: detached_loss @ 50
# allowed: detached_loss @ 78
"""Einbettung der Ziffern mit Triplet-Verlust, Klassifikation und Norm-Term;
danach naechster Nachbar im Einbettungsraum."""
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

torch.manual_seed(0)

X, y = load_digits(return_X_y=True)
X_lern, X_pruef, y_lern, y_pruef = train_test_split(X / 16.0, y, test_size=0.3, random_state=1, stratify=y)
X_lern = torch.tensor(X_lern, dtype=torch.float32)
X_pruef = torch.tensor(X_pruef, dtype=torch.float32)
y_lern = torch.tensor(y_lern)
y_pruef = torch.tensor(y_pruef)


class Einbettung(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.rumpf = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, dim))
        self.klassen = nn.Linear(dim, 10)

    def forward(self, x):
        z = self.rumpf(x)
        return z, self.klassen(z)


def tripel(y, g):
    """zu jedem Anker ein gleiches und ein fremdes Beispiel"""
    gleich = (y[:, None] == y[None, :]).float()
    pos = torch.multinomial(gleich, 1, generator=g).squeeze(1)
    neg = torch.multinomial(1.0 - gleich, 1, generator=g).squeeze(1)
    return pos, neg


class Summe:
    """gewichtete Summe mehrerer Verlustterme, merkt sich den Verlauf"""

    def __init__(self, **gewichte):
        self.namen = list(gewichte)
        self.w = torch.tensor(list(gewichte.values()))
        self.verlauf = []

    def __call__(self, **terme):
        werte = torch.tensor([terme[n].item() for n in self.namen], requires_grad=True)
        self.verlauf.append(werte.detach())
        return (self.w * werte).sum()

    def bericht(self, letzte):
        m = torch.stack(self.verlauf[-letzte:]).mean(0)
        return "  ".join(f"{n} {v:.3f}" for n, v in zip(self.namen, m.tolist()))


modell = Einbettung()
optimierer = torch.optim.Adam(modell.parameters(), lr=5e-3)
gesamt = Summe(triplet=1.0, ce=0.5, norm=0.01)
g = torch.Generator().manual_seed(4)
schritte = 0

for epoche in range(12):
    modell.train()
    folge = torch.randperm(len(X_lern), generator=g)
    for teil in folge.split(128):
        xb, yb = X_lern[teil], y_lern[teil]
        z, logits = modell(xb)
        pos, neg = tripel(yb, g)
        verlust = gesamt(
            triplet=F.triplet_margin_loss(z, z[pos], z[neg], margin=1.0),
            ce=F.cross_entropy(logits, yb),
            norm=z.pow(2).mean(),
        )
        optimierer.zero_grad()
        verlust.backward()
        optimierer.step()
        schritte += 1
    if epoche % 4 == 3:
        print(f"Epoche {epoche + 1}: {gesamt.bericht(10)}")

modell.eval()
with torch.no_grad():
    z_lern = modell(X_lern)[0].numpy()
    z_pruef = modell(X_pruef)[0].numpy()
knn = KNeighborsClassifier(5).fit(z_lern, y_lern.numpy())
print(f"{schritte} Schritte, kNN-Trefferquote {knn.score(z_pruef, y_pruef.numpy()):.3f}")
