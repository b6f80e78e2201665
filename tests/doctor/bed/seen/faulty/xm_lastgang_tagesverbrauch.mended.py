# expect: nothing
# Tagesverbrauch eines Haushalts aus seinem Lastgang schätzen (1D-Faltungsnetz).
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(1)

EINSTELLUNGEN = dict(
    epochen=5,
    batch=32,
    lernrate=2e-3,
    viertelstunden=96,
    haushalte=480,
)


class Lastgaenge(Dataset):
    """Lastgang in kW über einen Tag, dazu der Verbrauch des Tages in kWh."""

    def __init__(self, anzahl, samen):
        rng = np.random.default_rng(samen)
        t = np.arange(EINSTELLUNGEN["viertelstunden"]) / 4
        grund = rng.uniform(0.1, 1.2, (anzahl, 1))
        morgen = rng.uniform(0.2, 2.5, (anzahl, 1)) * np.exp(-((t - rng.normal(7, 0.7, (anzahl, 1))) / 1.2) ** 2)
        abend = rng.uniform(0.4, 4.0, (anzahl, 1)) * np.exp(-((t - rng.normal(19, 1.0, (anzahl, 1))) / 2.0) ** 2)
        last = grund + morgen + abend + rng.normal(0, 0.05, (anzahl, t.size))
        self.x = torch.tensor(last, dtype=torch.float32).unsqueeze(1)
        self.y = torch.tensor(last.sum(1) / 4, dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def normieren(self, mx, sx, my, sy):
        self.x = (self.x - mx) / sx
        self.y = (self.y - my) / sy


lern = Lastgaenge(EINSTELLUNGEN["haushalte"], samen=10)
test = Lastgaenge(200, samen=11)
mx, sx, my, sy = lern.x.mean(), lern.x.std(), lern.y.mean(), lern.y.std()
lern.normieren(mx, sx, my, sy)
test.normieren(mx, sx, my, sy)

netz = nn.Sequential(
    nn.Conv1d(1, 16, 9, stride=2, padding=4), nn.BatchNorm1d(16), nn.ReLU(),
    nn.Conv1d(16, 32, 5, stride=2, padding=2), nn.BatchNorm1d(32), nn.ReLU(),
    nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 1), nn.Flatten(0),
)
optimierer = torch.optim.Adam(netz.parameters(), lr=EINSTELLUNGEN["lernrate"])
verlust_fn = nn.MSELoss()


def trainieren():
    lader = DataLoader(lern, batch_size=EINSTELLUNGEN["batch"], shuffle=True)
    for epoche in range(EINSTELLUNGEN["epochen"]):
        netz.train()
        summe = 0.0
        for x, y in lader:
            verlust = verlust_fn(netz(x), y)
            optimierer.zero_grad()
            verlust.backward()
            optimierer.step()
            summe += verlust.item() * len(y)
        print(f"Epoche {epoche + 1}: Trainingsverlust {summe / len(lern):.4f}")


@torch.no_grad()
def pruefen():
    netz.eval()
    schaetzung = torch.cat([netz(x) for x, _ in DataLoader(test, batch_size=100)])
    rest = (schaetzung - test.y) * sy
    r2 = 1 - ((schaetzung - test.y) ** 2).sum() / ((test.y - test.y.mean()) ** 2).sum()
    print(f"Test: mittlerer Fehler {rest.abs().mean():.2f} kWh, R2 {r2:.3f}")


trainieren()
pruefen()
