# expect: nothing
"""Kreditausfall aus einer Kundentabelle: eigene Dataset-Klasse und logistische Ausgabe."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def kunden(n, seed):
    rng = np.random.default_rng(seed)
    einkommen = rng.lognormal(10.5, 0.5, n)
    alter = rng.uniform(20, 70, n)
    schulden = einkommen * rng.uniform(0.05, 1.2, n)
    verzug = rng.poisson(0.7, n)
    z = 4 * (schulden / einkommen - 0.6) + 1.2 * (verzug - 0.7) - 0.04 * (alter - 45)
    ausfall = (z + rng.logistic(0, 0.6, n) > 0).astype(int)
    return pd.DataFrame({"einkommen": einkommen, "alter": alter, "schulden": schulden,
                         "verzug": verzug, "ausfall": ausfall})


class KundenDaten(Dataset):
    spalten = ["einkommen", "alter", "schulden", "verzug"]

    def __init__(self, df, mitte, breite):
        self.x = ((df[self.spalten] - mitte) / breite).to_numpy("float32")
        self.y = df["ausfall"].to_numpy("float32")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def genauigkeit(netz, lader):
    netz.eval()
    treffer = n = 0
    with torch.no_grad():
        for x, y in lader:
            treffer += ((netz(x).squeeze(1) > 0).float() == y).sum().item()
            n += len(y)
    return treffer / n


def main():
    torch.manual_seed(4)
    lern, test = kunden(1500, 0), kunden(500, 1)
    mitte, breite = lern[KundenDaten.spalten].mean(), lern[KundenDaten.spalten].std()
    lern_lader = DataLoader(KundenDaten(lern, mitte, breite), batch_size=50, shuffle=True)
    test_lader = DataLoader(KundenDaten(test, mitte, breite), batch_size=250)
    netz = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    opt = torch.optim.Adam(netz.parameters(), lr=2e-3)
    verlust = nn.BCEWithLogitsLoss()
    for epoche in range(15):
        netz.train()
        summe = 0.0
        for x, y in lern_lader:
            opt.zero_grad()
            v = verlust(netz(x).squeeze(1), y)
            v.backward()
            opt.step()
            summe += v.item()
        if epoche % 5 == 4:
            print(f"Epoche {epoche + 1}: Verlust {summe / len(lern_lader):.3f} "
                  f"Genauigkeit {genauigkeit(netz, test_lader):.3f}")


if __name__ == "__main__":
    main()
