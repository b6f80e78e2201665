# expect: nothing
"""Autoencoder fuer Pumpendaten: Rekonstruktionsfehler als Alarmwert."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import nn


def messreihe(n, rng, defekt=False):
    last = rng.uniform(0.2, 1.0, n)
    temp = 20 + 35 * last + rng.normal(0, 1.0, n)
    druck = 1.5 + 4.0 * last**2 + rng.normal(0, 0.1, n)
    strom = 3.0 + 6.0 * last + rng.normal(0, 0.2, n)
    fluss = 40 * last * rng.lognormal(0, 0.15, n)
    fluss[rng.random(n) < 0.02] = 0.0  # Ventil kurz zu
    if defekt:
        druck *= rng.uniform(0.75, 0.9, n)
        strom += rng.uniform(0.5, 1.5, n)
    return pd.DataFrame({"temp": temp, "druck": druck, "strom": strom, "fluss": fluss})


class Aufbereitung:
    """Robuste Skalierung, gelernt nur auf den Lernzeilen."""

    def _merkmale(self, df):
        roh = df.copy()
        roh["fluss"] = np.log1p(roh["fluss"])
        roh["verhaeltnis"] = roh["druck"] / roh["strom"]
        return roh.to_numpy(dtype=np.float64)

    def lerne(self, df):
        m = self._merkmale(df)
        q1, self.mitte, q3 = np.quantile(m, [0.25, 0.5, 0.75], axis=0)
        self.breite = (q3 - q1) / 1.35
        return self

    def wende_an(self, df):
        m = (self._merkmale(df) - self.mitte) / self.breite
        return torch.tensor(m, dtype=torch.float32)


class Netz(nn.Module):
    def __init__(self, ein, eng=2, breit=32):
        super().__init__()
        self.kodierer = nn.Sequential(nn.Linear(ein, breit), nn.SiLU(), nn.Linear(breit, eng))
        self.dekodierer = nn.Sequential(nn.Linear(eng, breit), nn.SiLU(), nn.Linear(breit, ein))

    def forward(self, x):
        return self.dekodierer(self.kodierer(x))


def trainiere(netz, x, epochen=10, stapel=64, rate=3e-3):
    opt = torch.optim.Adam(netz.parameters(), lr=rate)
    for epoche in range(1, epochen + 1):
        netz.train()
        verluste, ausgelassen = [], 0
        for idx in torch.randperm(len(x)).split(stapel):
            block = x[idx]
            verlust = nn.functional.smooth_l1_loss(netz(block), block)
            if not torch.isfinite(verlust):
                ausgelassen += 1
                continue
            opt.zero_grad()
            verlust.backward()
            opt.step()
            verluste.append(verlust.item())
        if epoche % 2 == 0:
            print(f"Epoche {epoche:2d}: Verlust {np.mean(verluste):.4f}, {len(verluste)} Schritte, {ausgelassen} ausgelassen")


@torch.no_grad()
def alarmwert(netz, x):
    netz.eval()
    fehler = (netz(x) - x).abs().mean(dim=1).numpy()
    return np.nan_to_num(fehler, nan=0.0, posinf=0.0)


if __name__ == "__main__":
    torch.manual_seed(8)
    rng = np.random.default_rng(8)
    lern = messreihe(2560, rng)
    pruef = pd.concat([messreihe(400, rng), messreihe(400, rng, defekt=True)], ignore_index=True)
    marke = np.repeat([0, 1], 400)
    auf = Aufbereitung().lerne(lern)
    netz = Netz(5)
    trainiere(netz, auf.wende_an(lern))
    wert = alarmwert(netz, auf.wende_an(pruef))
    print(f"Alarm-AUC {roc_auc_score(marke, wert):.3f}")
