# expect: nothing
# %% [markdown]
# # Passagierliste: Überleben vorhersagen (kleines Notebook)

# %%
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.model_selection import train_test_split

torch.manual_seed(5)
rng = np.random.default_rng(5)

# %% Tabelle erzeugen
n = 2000
df = pd.DataFrame({
    "klasse": rng.choice([1, 2, 3], n, p=[0.25, 0.25, 0.5]),
    "geschlecht": rng.choice(["m", "w"], n),
    "alter": rng.normal(32, 13, n).clip(1, 80).round(),
    "geschwister": rng.poisson(0.5, n),
})
df["preis"] = np.exp(rng.normal(4.6 - 0.8 * df["klasse"], 0.5)).round(2)
z = 2.6 * (df["geschlecht"] == "w") - 1.1 * (df["klasse"] - 2) - 0.03 * (df["alter"] - 32) - 1.1
df["ueberlebt"] = (rng.random(n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
df.loc[rng.random(n) < 0.15, "alter"] = np.nan

# %% Merkmale
df["frau"] = (df["geschlecht"] == "w").astype(float)
df = pd.get_dummies(df, columns=["klasse"], dtype=float)
df["log_preis"] = np.log1p(df["preis"])
spalten = ["frau", "alter", "geschwister", "log_preis", "klasse_1", "klasse_2", "klasse_3"]

train, test = train_test_split(df, test_size=0.25, random_state=5, stratify=df["ueberlebt"])
mittel, streuung = train[spalten].mean(), train[spalten].std()


def als_tensor(teil):
    x = ((teil[spalten] - mittel) / streuung).fillna(0.0)
    return torch.tensor(x.values, dtype=torch.float32), torch.tensor(teil["ueberlebt"].values)


x_train, y_train = als_tensor(train)
x_test, y_test = als_tensor(test)
lader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)

# %% Modell und Training
netz = nn.Sequential(nn.Linear(len(spalten), 32), nn.ReLU(), nn.Linear(32, 2))
optimierer = torch.optim.AdamW(netz.parameters(), lr=3e-3)
kosten = nn.CrossEntropyLoss()

verlauf = []
for epoche in range(15):
    netz.train()
    summe = 0.0
    for xb, yb in lader:
        optimierer.zero_grad()
        fehler = kosten(netz(xb), yb)
        fehler.backward()
        optimierer.step()
        summe += fehler.item() * len(xb)
    verlauf.append(summe / len(x_train))
print("Kosten:", " ".join(f"{v:.3f}" for v in verlauf[::3]))

# %% Auswertung
netz.eval()
with torch.no_grad():
    klasse = netz(x_test).argmax(dim=1)
print("Trefferquote Test:", round((klasse == y_test).float().mean().item(), 3))
print("immer die Mehrheit:", round(max(y_test.float().mean().item(), 1 - y_test.float().mean().item()), 3))
