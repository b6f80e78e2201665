# expect: nothing
"""Auslastung von Hotels: Anteil belegter Zimmer aus Saison, Preis und Lage vorhersagen."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

KONFIG = dict(epochen=20, lr=3e-3, stapel=64, breite=32, keim=5)
MERKMALE = ["preis", "entfernung", "sterne", "saison_sin", "saison_cos"]


def erzeuge_tabelle(n, keim):
    r = np.random.default_rng(keim)
    tag = r.uniform(0, 2 * np.pi, n)
    df = pd.DataFrame({
        "preis": r.gamma(6.0, 18.0, n),
        "entfernung": r.exponential(4.0, n),
        "sterne": r.integers(1, 6, n).astype(float),
        "saison_sin": np.sin(tag),
        "saison_cos": np.cos(tag),
    })
    z = 0.3 - 0.012 * (df.preis - 108) - 0.15 * (df.entfernung - 4) + 0.4 * (df.sterne - 3) + 1.2 * df.saison_sin
    df["belegung"] = (100 / (1 + np.exp(-(z + 0.2 * r.normal(size=n))))).round(1)
    return df


class Hotels(Dataset):
    def __init__(self, df, mittel, streuung):
        x = (df[MERKMALE] - mittel) / streuung
        self.x = torch.tensor(x.to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(df["belegung"].to_numpy() / 100, dtype=torch.float32).unsqueeze(1)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Lernlauf:
    def __init__(self, netz, lr):
        self.netz = netz
        self.opt = torch.optim.Adam(netz.parameters(), lr=lr)
        self.verlust = nn.BCEWithLogitsLoss()

    def epoche(self, lader):
        self.netz.train()
        summe = 0.0
        for x, y in lader:
            self.opt.zero_grad()
            v = self.verlust(self.netz(x), y)
            v.backward()
            self.opt.step()
            summe += v.item() * len(x)
        return summe / len(lader.dataset)

    @torch.no_grad()
    def prozent(self, x):
        self.netz.eval()
        return 100 * torch.sigmoid(self.netz(x)).squeeze(1).numpy()


torch.manual_seed(KONFIG["keim"])
tabelle = erzeuge_tabelle(2400, KONFIG["keim"])
lern, test = tabelle.iloc[:1800], tabelle.iloc[1800:]
mittel, streuung = lern[MERKMALE].mean(), lern[MERKMALE].std()
lern_ds, test_ds = Hotels(lern, mittel, streuung), Hotels(test, mittel, streuung)
lader = DataLoader(lern_ds, batch_size=KONFIG["stapel"], shuffle=True)

netz = nn.Sequential(
    nn.Linear(len(MERKMALE), KONFIG["breite"]), nn.ReLU(),
    nn.Linear(KONFIG["breite"], KONFIG["breite"]), nn.ReLU(),
    nn.Linear(KONFIG["breite"], 1),
)
lauf = Lernlauf(netz, KONFIG["lr"])
for ep in range(KONFIG["epochen"]):
    v = lauf.epoche(lader)
    if ep % 5 == 4:
        print(f"Epoche {ep + 1:3d}: Verlust {v:.4f}")

fehler = np.abs(lauf.prozent(test_ds.x) - test["belegung"].to_numpy())
grund = np.abs(lern["belegung"].mean() - test["belegung"].to_numpy())
print(f"mittlerer Fehler {fehler.mean():.2f} Punkte (Mittelwert allein: {grund.mean():.2f})")
