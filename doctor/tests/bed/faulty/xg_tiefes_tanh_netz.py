# expect: vanishing_gradient @ 30
# allowed: vanishing_gradient @ 22
# allowed: vanishing_gradient @ 42
# mend: 30 →         nn.init.xavier_normal_(modul.weight, gain=nn.init.calculate_gain("tanh"))
"""Ziffern mit einem tiefen Tanh-Netz, SGD mit Momentum."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
import torch.nn.functional as F

TIEFE = 7
BREITE = 64
EPOCHEN = 10
torch.manual_seed(2)


def baue_netz(ein, aus):
    schichten, d = [], ein
    for _ in range(TIEFE):
        schichten += [nn.Linear(d, BREITE), nn.Tanh()]
        d = BREITE
    schichten.append(nn.Linear(d, aus))
    return nn.Sequential(*schichten)


def initialisiere(modul):
    if isinstance(modul, nn.Linear):
        nn.init.normal_(modul.weight, mean=0.0, std=0.01)
        nn.init.zeros_(modul.bias)


X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=2, stratify=y)
skala = StandardScaler().fit(X_train)
X_train = torch.tensor(skala.transform(X_train), dtype=torch.float32)
X_test = torch.tensor(skala.transform(X_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

netz = baue_netz(64, 10)
netz.apply(initialisiere)
opt = torch.optim.SGD(netz.parameters(), lr=0.02, momentum=0.9)

for epoche in range(1, EPOCHEN + 1):
    netz.train()
    summe = 0.0
    for teil in torch.randperm(len(X_train)).split(64):
        verlust = F.cross_entropy(netz(X_train[teil]), y_train[teil])
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(teil)
    if epoche % 5 == 0:
        print(f"Epoche {epoche:2d}  Verlust {summe / len(X_train):.4f}")

netz.eval()
with torch.no_grad():
    richtig = (netz(X_test).argmax(dim=1) == y_test).float().mean().item()
print(f"Testgenauigkeit {richtig:.3f}")
