# expect: bad_label_values @ 57
# allowed: bad_label_values @ 64
# Stundenprognose der Netzauslastung (Prozent der Nennleistung) mit einer GRU
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
rng = np.random.default_rng(3)

FENSTER = 24


def erzeuge_reihe(stunden=2600):
    t = np.arange(stunden)
    tag = 22 * np.sin(2 * np.pi * t / 24 - 1.2)
    woche = 9 * np.sin(2 * np.pi * t / 168)
    stoerung = np.zeros(stunden)
    for i in range(1, stunden):
        stoerung[i] = 0.8 * stoerung[i - 1] + rng.normal(0, 2.5)
    return np.clip(50 + tag + woche + stoerung, 0, 100).astype(np.float32)


def fenster(reihe):
    xs = np.stack([reihe[i:i + FENSTER] for i in range(len(reihe) - FENSTER)])
    ys = reihe[FENSTER:]
    return torch.tensor(xs).unsqueeze(-1), torch.tensor(ys)


reihe = erzeuge_reihe()
grenze = 2100
train_roh, test_roh = reihe[:grenze], reihe[grenze:]
mittel, streuung = train_roh.mean(), train_roh.std()

x_train, y_train = fenster(train_roh)
x_test, y_test = fenster(test_roh)
x_train = (x_train - float(mittel)) / float(streuung)
x_test = (x_test - float(mittel)) / float(streuung)


class Auslastung(nn.Module):
    def __init__(self, breite=24):
        super().__init__()
        self.gru = nn.GRU(1, breite, batch_first=True)
        self.kopf = nn.Linear(breite, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.kopf(h[-1]).squeeze(-1)


netz = Auslastung()
# Ausgabe ist ein Anteil, daher logistische Kopfschicht
kriterium = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(netz.parameters(), lr=4e-3)
lader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

for epoche in range(8):
    netz.train()
    summe = 0.0
    for xb, yb in lader:
        opt.zero_grad()
        verlust = kriterium(netz(xb), yb)
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(xb)
    print(f"Epoche {epoche + 1}: Verlust {summe / len(x_train):.4f}")

netz.eval()
with torch.no_grad():
    vorhersage = 100 * torch.sigmoid(netz(x_test))
    mae = (vorhersage - y_test).abs().mean().item()
naiv = (x_test[:, -1, 0] * float(streuung) + float(mittel) - y_test).abs().mean().item()
print(f"Test-MAE {mae:.2f} Prozentpunkte (naiv: {naiv:.2f})")
