# expect: nothing
"""Flat-rent estimation from two exports of a rental portal, merged with pandas."""
import numpy as np
import pandas as pd
import torch
from torch import nn

gen = np.random.default_rng(12)
torch.manual_seed(12)


def lade_export():
    """Zwei Exporte aus dem Portal."""
    n = 500
    jahr = pd.DataFrame({
        "flaeche": gen.normal(70, 20, n), "zimmer": gen.integers(1, 6, n), "etage": gen.integers(0, 8, n),
        "baujahr": gen.integers(1900, 2023, n), "distanz": gen.uniform(0, 20, n), "balkon": gen.integers(0, 2, n),
    })
    jahr["miete"] = 9 * jahr.flaeche + 40 * jahr.zimmer - 12 * jahr.distanz + 60 * jahr.balkon + gen.normal(0, 180, n)
    halbjahr = jahr.iloc[:400].copy()
    return halbjahr, jahr


teile = lade_export()
daten = pd.concat(teile, ignore_index=True).drop_duplicates(ignore_index=True)
daten = daten.sample(frac=1, random_state=1).reset_index(drop=True)
schnitt = int(0.7 * len(daten))
train, test = daten[:schnitt], daten[schnitt:]

spalten = ["flaeche", "zimmer", "etage", "baujahr", "distanz", "balkon"]
m, s = train[spalten].mean(), train[spalten].std()
ym, ys = train.miete.mean(), train.miete.std()


def tensoren(d):
    x = torch.tensor(((d[spalten] - m) / s).to_numpy(), dtype=torch.float32)
    y = torch.tensor(((d.miete - ym) / ys).to_numpy(), dtype=torch.float32)
    return x, y


xtr, ytr = tensoren(train)
xte, yte = tensoren(test)
netz = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)

for epoche in range(40):
    netz.train()
    for idx in torch.randperm(len(xtr)).split(32):
        opt.zero_grad()
        verlust = nn.functional.mse_loss(netz(xtr[idx]).squeeze(1), ytr[idx])
        verlust.backward()
        opt.step()
    if epoche % 10 == 9:
        print(f"Epoche {epoche + 1}: Verlust {verlust.item():.3f}")

netz.eval()
with torch.no_grad():
    r2 = 1 - ((netz(xte).squeeze(1) - yte) ** 2).sum() / ((yte - yte.mean()) ** 2).sum()
print(f"R2 im Test: {r2.item():.3f}")
