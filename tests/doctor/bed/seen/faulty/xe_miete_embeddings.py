# expect: missing_zero_grad @ 74
# allowed: missing_zero_grad @ 76
# allowed: missing_zero_grad @ 78
# Mietpreise aus einer künstlichen Tabelle: Stadtteil + Heizungsart als Embedding, Rest numerisch.
# Die Embeddings bekommen einen eigenen Optimierer mit kleinerer Lernrate.
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(7)
zufall = np.random.default_rng(7)

N = 3000
stadtteile = [f"Teil_{i:02d}" for i in range(25)]
heizungen = ["gas", "fern", "pumpe", "strom"]
zuschlag = dict(zip(stadtteile, zufall.normal(0, 3.0, len(stadtteile))))
df = pd.DataFrame({
    "stadtteil": zufall.choice(stadtteile, N),
    "heizung": zufall.choice(heizungen, N),
    "flaeche": zufall.uniform(25, 140, N),
    "baujahr": zufall.integers(1900, 2024, N),
})
df["miete"] = (
    9 + df["stadtteil"].map(zuschlag) - 0.02 * (df["flaeche"] - 70)
    + 0.02 * (df["baujahr"] - 1970) + df["heizung"].map({"gas": 0, "fern": 0.5, "pumpe": 1.5, "strom": -1})
    + zufall.normal(0, 0.8, N)
)

KAT = ["stadtteil", "heizung"]
NUM = ["flaeche", "baujahr"]
train_df, test_df = train_test_split(df, test_size=0.25, random_state=7)
kodes = {k: {w: i for i, w in enumerate(sorted(train_df[k].unique()))} for k in KAT}
mittel, streuung = train_df[NUM].mean(), train_df[NUM].std()
y_m, y_s = train_df["miete"].mean(), train_df["miete"].std()


class Wohnungen(Dataset):
    def __init__(self, tab):
        self.kat = torch.tensor(np.stack([tab[k].map(kodes[k]) for k in KAT], axis=1), dtype=torch.long)
        self.num = torch.tensor(((tab[NUM] - mittel) / streuung).to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(((tab["miete"] - y_m) / y_s).to_numpy(), dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.kat[i], self.num[i], self.y[i]


class Netz(nn.Module):
    def __init__(self):
        super().__init__()
        self.tabellen = nn.ModuleList([nn.Embedding(len(kodes[k]), 4) for k in KAT])
        self.kopf = nn.Sequential(nn.Linear(4 * len(KAT) + len(NUM), 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, kat, num):
        teile = [t(kat[:, j]) for j, t in enumerate(self.tabellen)]
        return self.kopf(torch.cat(teile + [num], dim=1)).squeeze(1)


netz = Netz()
opt_kopf = torch.optim.SGD(netz.kopf.parameters(), lr=0.05, momentum=0.9)
opt_emb = torch.optim.Adam(netz.tabellen.parameters(), lr=0.01)
lader = DataLoader(Wohnungen(train_df), batch_size=50, shuffle=True)
mse = nn.MSELoss()

for epoche in range(20):
    netz.train()
    summe = 0.0
    for kat, num, y in lader:
        opt_kopf.zero_grad()
        verlust = mse(netz(kat, num), y)
        verlust.backward()
        opt_kopf.step()
        opt_emb.step()
        summe += verlust.item() * len(y)
    if epoche % 5 == 4:
        print(f"Epoche {epoche + 1:2d}: Trainingsverlust {summe / len(train_df):.4f}")

netz.eval()
probe = Wohnungen(test_df)
with torch.no_grad():
    fehler = (netz(probe.kat, probe.num) - probe.y) * y_s
print(f"Test: MAE {fehler.abs().mean():.3f} EUR/qm, RMSE {fehler.pow(2).mean().sqrt():.3f} EUR/qm")
