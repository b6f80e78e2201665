# expect: bad_label_values @ 64
# allowed: bad_label_values @ 40
# allowed: bad_label_values @ 61
# allowed: bad_label_values @ 79
# Prognose des Ladezustands (SOC, in Prozent) eines Hausspeichers, eine Stunde voraus.
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
zufall = np.random.default_rng(3)


def simuliere(tage=120):
    stunden = np.arange(tage * 24)
    wolken = np.repeat(zufall.uniform(0.3, 1.0, tage), 24)
    sonne = np.clip(np.sin((stunden % 24 - 6) / 12 * np.pi), 0, None) * wolken
    last = 0.25 + 0.25 * np.exp(-((stunden % 24 - 19) ** 2) / 8) + zufall.normal(0, 0.03, len(stunden))
    soc = np.empty(len(stunden))
    stand = 50.0
    for i in range(len(stunden)):
        stand = np.clip(stand + 14 * sonne[i] - 12 * last[i], 5, 95)
        soc[i] = stand
    return np.stack([sonne, last, soc], axis=1)


FENSTER = 12
roh = simuliere()
anzahl = len(roh)
ende_train, ende_val = int(anzahl * 0.7), int(anzahl * 0.85)

mittel = roh[:ende_train].mean(0)
streuung = roh[:ende_train].std(0)
eingang = (roh - mittel) / streuung


def fenster(start, ende):
    x = np.stack([eingang[i:i + FENSTER] for i in range(start, ende - FENSTER)])
    y = roh[start + FENSTER:ende, 2]
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


x_tr, y_tr = fenster(0, ende_train)
x_va, y_va = fenster(ende_train, ende_val)
x_te, y_te = fenster(ende_val, anzahl)


class Prognose(nn.Module):
    def __init__(self, kanaele=3, breite=24):
        super().__init__()
        self.gru = nn.GRU(kanaele, breite, batch_first=True)
        self.kopf = nn.Linear(breite, 1)

    def forward(self, x):
        h, _ = self.gru(x)
        return self.kopf(h[:, -1]).squeeze(1)


netz = Prognose()
verlust = nn.BCEWithLogitsLoss()
optimierer = torch.optim.Adam(netz.parameters(), lr=5e-3)
plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimierer, T_max=12)
lader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)


@torch.no_grad()
def mae_prozent(x, y):
    netz.eval()
    vorhersage = torch.sigmoid(netz(x)) * 100
    return (vorhersage - y).abs().mean().item()


for epoche in range(12):
    netz.train()
    summe = 0.0
    for xb, yb in lader:
        optimierer.zero_grad()
        fehler = verlust(netz(xb), yb)
        fehler.backward()
        nn.utils.clip_grad_norm_(netz.parameters(), 1.0)
        optimierer.step()
        summe += fehler.item() * len(xb)
    plan.step()
    print(f"Epoche {epoche + 1:2d}: Verlust {summe / len(x_tr):10.4f}   MAE Validierung {mae_prozent(x_va, y_va):6.2f} %")

naiv = (torch.tensor(roh[ende_val + FENSTER - 1:anzahl - 1, 2]) - y_te).abs().mean().item()
print(f"Test: MAE {mae_prozent(x_te, y_te):.2f} %   (letzter Wert: {naiv:.2f} %)")
