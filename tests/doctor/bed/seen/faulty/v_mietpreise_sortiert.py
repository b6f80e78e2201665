# expect: sorted_split @ 22
# allowed: sorted_split @ 24
"""Mietpreise: rent regression from a pandas table with a train/test split by position."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def lade_wohnungen(n=1200):
    rng = np.random.default_rng(20)
    flaeche = rng.uniform(20, 140, n)
    zimmer = np.clip((flaeche / 28 + rng.normal(0, 0.7, n)).round(), 1, 6)
    lage = rng.uniform(0, 1, n)
    baujahr = rng.integers(1900, 2021, n)
    preis = flaeche * (8 + 10 * lage**2) + 60 * zimmer + 2 * (baujahr - 1950).clip(0) + rng.normal(0, 40, n)
    return pd.DataFrame(dict(flaeche=flaeche, zimmer=zimmer, lage=lage, baujahr=baujahr, preis=preis))


def vorbereiten(tabelle, anteil=0.8):
    tabelle = tabelle.sort_values("preis").reset_index(drop=True)
    grenze = int(anteil * len(tabelle))
    training, test = tabelle.iloc[:grenze], tabelle.iloc[grenze:]
    mittel, streuung = training.mean(), training.std()
    skala = (mittel["preis"], streuung["preis"])
    daten = []
    for teil in (training, test):
        z = (teil - mittel) / streuung
        x = torch.tensor(z.drop(columns="preis").to_numpy(), dtype=torch.float32)
        daten.append(TensorDataset(x, torch.tensor(z["preis"].to_numpy(), dtype=torch.float32)))
    return daten, skala


torch.manual_seed(0)
(training, test), (mittel, streuung) = vorbereiten(lade_wohnungen())
lader = DataLoader(training, batch_size=48, shuffle=True)
modell = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optimierer = torch.optim.Adam(modell.parameters(), lr=4e-3)
for epoche in range(30):
    modell.train()
    summe = 0.0
    for x, y in lader:
        optimierer.zero_grad()
        verlust = nn.functional.huber_loss(modell(x).squeeze(-1), y)
        verlust.backward()
        optimierer.step()
        summe += verlust.item()
    if epoche % 10 == 9:
        print(f"Epoche {epoche} Verlust {summe / len(lader):.4f}")

modell.eval()
with torch.inference_mode():
    x, y = test.tensors
    fehler = (modell(x).squeeze(-1) - y).abs().mean().item() * streuung
print(f"mittlerer Testfehler {fehler:.1f} EUR")
