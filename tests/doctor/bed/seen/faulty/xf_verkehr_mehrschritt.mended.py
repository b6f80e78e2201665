# expect: nothing
# Mehrschritt-Prognose einer Auslastungskurve mit LSTM-Zelle (Encoder/Decoder)
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(5)
zufall = np.random.default_rng(5)

VOR, NACH = 24, 6


def kurve(n=1500):
    t = np.arange(n)
    tag = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(2 * np.pi * t / 12 + 1.0)
    woche = 0.5 * np.sin(2 * np.pi * t / 168)
    return (tag + woche + zufall.normal(0, 0.1, n)) * 20 + 60


def fenster(reihe):
    alle = torch.from_numpy(reihe).float().unfold(0, VOR + NACH, 1)
    return alle[:, :VOR, None], alle[:, VOR:]


class Prognose(nn.Module):
    def __init__(self, breite=24):
        super().__init__()
        self.leser = nn.LSTM(1, breite, batch_first=True)
        self.zelle = nn.LSTMCell(1, breite)
        self.kopf = nn.Linear(breite, 1)

    def forward(self, x):
        _, (h, c) = self.leser(x)
        h, c, letzter = h[0], c[0], x[:, -1]
        for _ in range(NACH):
            h, c = self.zelle(letzter, (h, c))
            letzter = letzter + self.kopf(h)
            yield letzter.squeeze(1)


class GewichteterVerlust(nn.Module):
    """Quadratischer Fehler je Horizont, nahe Schritte zählen mehr."""

    def __init__(self, abfall=0.9):
        super().__init__()
        self.gewichte = [abfall ** k for k in range(NACH)]

    def forward(self, schritte, ziel):
        teile = [g * nn.functional.mse_loss(s, ziel[:, k])
                 for k, (g, s) in enumerate(zip(self.gewichte, schritte))]
        return torch.stack(teile).sum() / sum(self.gewichte)


reihe = kurve()
schnitt = 1200
mitte, streuung = reihe[:schnitt].mean(), reihe[:schnitt].std()
normiert = (reihe - mitte) / streuung
x_lern, y_lern = fenster(normiert[:schnitt])
x_test, y_test = fenster(normiert[schnitt:])

netz = Prognose()
verlust = GewichteterVerlust()
opt = torch.optim.Adam(netz.parameters(), lr=1e-2)

for runde in range(5):
    netz.train()
    ordnung = torch.randperm(len(x_lern))
    summe = 0.0
    for teil in ordnung.split(48):
        opt.zero_grad()
        wert = verlust(netz(x_lern[teil]), y_lern[teil])
        wert.backward()
        opt.step()
        summe += wert.item() * len(teil)
    print(f"Runde {runde + 1:2d}  Verlust {summe / len(x_lern):.4f}")

netz.eval()
with torch.no_grad():
    vorhersage = torch.stack(list(netz(x_test)), dim=1)
fehler = (vorhersage - y_test).abs().mean(0) * streuung
naiv = (x_test[:, -1] - y_test).abs().mean(0) * streuung
print("MAE je Schritt      ", [round(v, 2) for v in fehler.tolist()])
print("MAE letzter Wert    ", [round(v, 2) for v in naiv.tolist()])
