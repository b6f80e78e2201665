# expect: nothing
# Ereigniserkennung in Sensorfenstern: kleines 1D-Faltungsnetz, zehn Ereignistypen,
# ein Sigmoid-Ausgang je Typ (wie bei den einstufigen Detektoren)
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)
rng = np.random.default_rng(4)

TYPEN, LAENGE, KANAELE = 10, 40, 3
muster = rng.normal(size=(TYPEN, KANAELE, 9))


def fenster(anzahl):
    y = np.arange(anzahl) % TYPEN
    rng.shuffle(y)
    x = rng.normal(0, 0.6, size=(anzahl, KANAELE, LAENGE))
    for i, typ in enumerate(y):
        start = rng.integers(0, LAENGE - 9)
        x[i, :, start:start + 9] += 1.6 * muster[typ]
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


x_train, y_train = fenster(2000)
x_test, y_test = fenster(500)
mittel = x_train.mean(dim=(0, 2), keepdim=True)
streuung = x_train.std(dim=(0, 2), keepdim=True)
x_train, x_test = (x_train - mittel) / streuung, (x_test - mittel) / streuung


class Detektor(nn.Module):
    def __init__(self, breite=32, prior=1 / TYPEN):
        super().__init__()
        self.c1 = nn.Conv1d(KANAELE, breite, 5, padding=2)
        self.c2 = nn.Conv1d(breite, breite, 5, padding=2)
        self.c3 = nn.Conv1d(breite, breite, 5, padding=2)
        self.cls = nn.Linear(breite, TYPEN)
        # anfängliche Wahrscheinlichkeit = prior
        bias = -math.log((1 - prior) / prior)
        nn.init.constant_(self.cls.bias, bias)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        x = F.relu(self.c3(x))
        return self.cls(x.amax(dim=2))


netz = Detektor()
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)
ziele = F.one_hot(y_train, TYPEN).float()

for epoche in range(8):
    netz.train()
    summe = 0.0
    for idx in torch.randperm(len(x_train)).split(50):
        opt.zero_grad()
        verlust = F.binary_cross_entropy_with_logits(netz(x_train[idx]), ziele[idx])
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(idx)
    print(f"Epoche {epoche + 1}  Verlust {summe / len(x_train):.4f}")

netz.eval()
with torch.no_grad():
    treffer = (netz(x_test).argmax(dim=1) == y_test).float().mean().item()
print(f"Trefferquote Test: {treffer:.3f}")
