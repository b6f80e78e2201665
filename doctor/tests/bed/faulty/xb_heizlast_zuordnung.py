# missed: label_misaligned @ 55
# allowed: label_misaligned @ 49
# allowed: label_misaligned @ 71
# allowed: label_misaligned @ 72
# mend: 55 →     y = torch.tensor(messung.loc[merkmale.index].to_numpy(), dtype=torch.float32).reshape(-1, 1)
"""Vorhersage der Heizlast aus Gebäudedaten.

Merkmale und Messwerte kommen aus zwei Tabellen (Bauamt / Stadtwerke), die über die
Gebäudenummer zusammengehören.
"""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

rng = np.random.default_rng(3)
torch.manual_seed(3)


@dataclass
class Einstellungen:
    anzahl: int = 500
    epochen: int = 32
    lernrate: float = 5e-3
    stapel: int = 32
    testanteil: float = 0.2


def lade_tabellen(n):
    nummer = pd.Index(rng.permutation(np.arange(1000, 1000 + n)), name="gebaeude")
    merkmale = pd.DataFrame(
        {
            "flaeche": rng.normal(140, 35, n),
            "fenster": rng.uniform(0.1, 0.4, n),
            "baujahr": rng.integers(1930, 2020, n).astype(float),
            "geschosse": rng.integers(1, 5, n).astype(float),
        },
        index=nummer,
    )
    last = (
        0.25 * merkmale["flaeche"]
        + 40 * merkmale["fenster"]
        - 0.15 * (merkmale["baujahr"] - 1930)
        - 1.5 * merkmale["geschosse"]
        + rng.normal(0, 1.5, n)
    )
    messung = last.rename("heizlast").sort_index()  # die Stadtwerke liefern nach Nummer sortiert
    return merkmale, messung


def als_tensoren(merkmale, messung):
    X = torch.tensor(merkmale.to_numpy(), dtype=torch.float32)
    y = torch.tensor(messung.to_numpy(), dtype=torch.float32).reshape(-1, 1)
    return X, y


class Normierer:
    def __init__(self, t):
        self.mittel, self.streuung = t.mean(0), t.std(0)

    def hin(self, t):
        return (t - self.mittel) / self.streuung

    def zurueck(self, t):
        return t * self.streuung + self.mittel


def hauptprogramm(cfg: Einstellungen):
    merkmale, messung = lade_tabellen(cfg.anzahl)
    X, y = als_tensoren(merkmale, messung)

    folge = torch.randperm(len(X))
    n_test = int(cfg.testanteil * len(X))
    i_test, i_train = folge[:n_test], folge[n_test:]
    nx, ny = Normierer(X[i_train]), Normierer(y[i_train])
    X_train, y_train = nx.hin(X[i_train]), ny.hin(y[i_train])

    netz = nn.Sequential(nn.Linear(X.shape[1], 32), nn.Tanh(), nn.Linear(32, 1))
    optimierer = torch.optim.Adam(netz.parameters(), lr=cfg.lernrate)
    verlust = nn.MSELoss()

    for epoche in range(1, cfg.epochen + 1):
        summe = 0.0
        for block in torch.randperm(len(X_train)).split(cfg.stapel):
            optimierer.zero_grad()
            fehler = verlust(netz(X_train[block]), y_train[block])
            fehler.backward()
            optimierer.step()
            summe += fehler.item() * len(block)
        if epoche % 8 == 0:
            print(f"Epoche {epoche:3d}: Verlust {summe / len(X_train):.4f}")

    netz.eval()
    with torch.no_grad():
        schaetzung = ny.zurueck(netz(nx.hin(X[i_test])))
    rest = ((schaetzung - y[i_test]) ** 2).sum()
    gesamt = ((y[i_test] - y[i_test].mean()) ** 2).sum()
    print(f"Bestimmtheitsmaß im Test: {1 - (rest / gesamt).item():.3f}")


if __name__ == "__main__":
    hauptprogramm(Einstellungen())
