# expect: nothing
"""Lastprognose: Ensemble mit lernbaren Gewichten, Nullstart im Restzweig, Summe statt Mittel als Verlust."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(17)
zufall = np.random.default_rng(17)
n = 2000
last = pd.DataFrame({
    "temperatur": zufall.normal(12, 7, n),
    "stunde": zufall.integers(0, 24, n),
    "werktag": zufall.integers(0, 2, n),
    "wind": zufall.gamma(3, 2, n),
})
last["mw"] = (
    50 + 0.08 * (last["temperatur"] - 16) ** 2
    + 12 * np.sin((last["stunde"] - 7) / 24 * 2 * np.pi) * (0.5 + last["werktag"])
    - 0.6 * last["wind"] + zufall.normal(0, 1.5, n)
)
stetig = ["temperatur", "wind"]
lern, probe = train_test_split(last, test_size=0.25, random_state=17)
sx, sy = StandardScaler().fit(lern[stetig]), StandardScaler().fit(lern[["mw"]])


def packe(teil):
    return (
        torch.tensor(teil[["stunde", "werktag"]].to_numpy(), dtype=torch.long),
        torch.tensor(sx.transform(teil[stetig]), dtype=torch.float32),
        torch.tensor(sy.transform(teil[["mw"]]), dtype=torch.float32),
    )


class Glied(nn.Module):
    """Lineares Modell plus Restzweig, der mit null beginnt."""

    def __init__(self, breite):
        super().__init__()
        self.stunde, self.werktag = nn.Embedding(24, 6), nn.Embedding(2, 2)
        self.gerade = nn.Linear(10, 1)
        self.rest_ein, self.rest_aus = nn.Linear(10, breite), nn.Linear(breite, 1)
        nn.init.zeros_(self.rest_aus.weight)
        nn.init.zeros_(self.rest_aus.bias)

    def forward(self, kat, num):
        x = torch.cat([self.stunde(kat[:, 0]), self.werktag(kat[:, 1]), num], dim=1)
        return self.gerade(x) + self.rest_aus(torch.relu(self.rest_ein(x)))


class Gemisch(nn.Module):
    def __init__(self, breiten=(16, 24, 32)):
        super().__init__()
        self.glieder = nn.ModuleList(Glied(b) for b in breiten)
        self.gewichtung = nn.Parameter(torch.zeros(len(breiten)))  # ein Vektor, keine Lose

    def forward(self, kat, num):
        stapel = torch.stack([g(kat, num) for g in self.glieder])
        return torch.tensordot(self.gewichtung.softmax(dim=0), stapel, dims=1)


modell = Gemisch()
lader = DataLoader(TensorDataset(*packe(lern)), batch_size=50, shuffle=True)
# Die Verlustsumme über 50 Zeilen macht die Gradienten fünfzigmal größer als das Mittel.
opt = torch.optim.SGD(modell.parameters(), lr=1e-3, momentum=0.9)
for epoche in range(20):
    modell.train()
    verlauf = torch.tensor(0.0)
    for kat, num, ziel in lader:
        opt.zero_grad()
        verlust = nn.functional.mse_loss(modell(kat, num), ziel, reduction="sum")
        verlust.backward()
        opt.step()
        verlauf += torch.tensor(verlust.item())
    if epoche % 5 == 4:
        print(f"Epoche {epoche + 1:2d}: {verlauf / len(lern):.4f}")

modell.eval()
kat, num, ziel = packe(probe)
with torch.no_grad():
    mw = sy.inverse_transform(modell(kat, num).numpy())
wahr = probe[["mw"]].to_numpy()
print(f"MAE {mean_absolute_error(wahr, mw):.2f} MW, R2 {r2_score(wahr, mw):.3f}")
