# expect: detached_loss @ 66
# allowed: detached_loss @ 68
"""Heiz- und Kuehllast von Gebaeuden: ein Netz, zwei Ausgaenge."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
rng = np.random.default_rng(11)


def gebaeude(n=1500):
    df = pd.DataFrame({
        "flaeche": rng.uniform(60, 400, n),
        "hoehe": rng.uniform(2.3, 3.6, n),
        "fensteranteil": rng.uniform(0.05, 0.5, n),
        "daemmung_cm": rng.uniform(0, 30, n),
    })
    df["heizlast"] = 12 + 0.05 * df.flaeche * df.hoehe / (1 + 0.1 * df.daemmung_cm) + rng.normal(0, 1, n)
    df["kuehllast"] = 5 + 0.12 * df.flaeche * df.fensteranteil + rng.normal(0, 1, n)
    return df


df = gebaeude()
ziele = ["heizlast", "kuehllast"]
X = df.drop(columns=ziele).values
Y = df[ziele].values
X_tr, X_te, Y_tr, Y_te = train_test_split(X, Y, test_size=0.25, random_state=11)
sx, sy = StandardScaler().fit(X_tr), StandardScaler().fit(Y_tr)


def tens(a):
    return torch.tensor(a, dtype=torch.float32)


lader = DataLoader(TensorDataset(tens(sx.transform(X_tr)), tens(sy.transform(Y_tr))),
                   batch_size=64, shuffle=True)


class ZweiKoepfe(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.rumpf = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.heiz = nn.Linear(32, 1)
        self.kuehl = nn.Linear(32, 1)

    def forward(self, x):
        h = self.rumpf(x)
        return self.heiz(h).squeeze(1), self.kuehl(h).squeeze(1)


netz = ZweiKoepfe(X.shape[1])
opt = torch.optim.Adam(netz.parameters(), lr=3e-3)
mse = nn.MSELoss()
gewichte = torch.tensor([0.6, 0.4])

for epoche in range(16):
    summe = 0.0
    for xb, yb in lader:
        heiz, kuehl = netz(xb)
        teile = [mse(heiz, yb[:, 0]), mse(kuehl, yb[:, 1])]
        verlust = (gewichte * torch.tensor(teile, requires_grad=True)).sum()
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(xb)
    if epoche % 4 == 3:
        print(f"Epoche {epoche + 1:2d}  Verlust {summe / len(X_tr):.4f}")

netz.eval()
with torch.no_grad():
    aus = torch.stack(netz(tens(sx.transform(X_te))), dim=1).numpy()
vorhersage = sy.inverse_transform(aus)
for i, z in enumerate(ziele):
    fehler = np.abs(vorhersage[:, i] - Y_te[:, i]).mean()
    print(f"{z}: MAE {fehler:.2f} kW (Mittelwert-Modell {np.abs(Y_te[:, i] - Y_tr[:, i].mean()).mean():.2f})")
