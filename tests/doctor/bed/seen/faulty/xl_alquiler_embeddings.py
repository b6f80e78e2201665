# expect: detached_graph @ 58
# Precio del alquiler con variables categóricas (embeddings) y numéricas
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

SEMILLA = 21
torch.manual_seed(SEMILLA)
rng = np.random.default_rng(SEMILLA)

# ---- tabla -------------------------------------------------------------
n = 3000
barrios, tipos = 40, 5
efecto_barrio = rng.normal(0, 1.0, barrios)
efecto_tipo = rng.normal(0, 0.5, tipos)
df = pd.DataFrame({
    "barrio": rng.integers(0, barrios, n),
    "tipo": rng.integers(0, tipos, n),
    "metros": rng.normal(80, 25, n).clip(20, 200),
    "planta": rng.integers(0, 9, n),
})
df["alquiler"] = (9 + efecto_barrio[df["barrio"]] + efecto_tipo[df["tipo"]]
                  + 0.02 * (df["metros"] - 80) + 0.05 * df["planta"] + rng.normal(0, 0.2, n))

CAT, NUM = ["barrio", "tipo"], ["metros", "planta"]
df_ent, df_pru = train_test_split(df, test_size=0.2, random_state=SEMILLA)
escala_x = StandardScaler().fit(df_ent[NUM])
escala_y = StandardScaler().fit(df_ent[["alquiler"]])


class TablaAlquiler(Dataset):
    def __init__(self, tabla):
        self.cat = torch.tensor(tabla[CAT].to_numpy(), dtype=torch.long)
        self.num = torch.tensor(escala_x.transform(tabla[NUM]), dtype=torch.float32)
        self.y = torch.tensor(escala_y.transform(tabla[["alquiler"]]), dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.cat[i], self.num[i], self.y[i]


class RedTabular(nn.Module):
    def __init__(self, cardinalidades, n_num, dim=4):
        super().__init__()
        self.tablas = nn.ModuleList([nn.Embedding(c, dim) for c in cardinalidades])
        self.mlp = nn.Sequential(
            nn.Linear(dim * len(cardinalidades) + n_num, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, cat, num):
        vectores = []
        for j, tabla in enumerate(self.tablas):
            vectores.append(tabla.weight.data[cat[:, j]])
        return self.mlp(torch.cat(vectores + [num], dim=1))


entreno = DataLoader(TablaAlquiler(df_ent), batch_size=64, shuffle=True)
prueba = DataLoader(TablaAlquiler(df_pru), batch_size=256)
red = RedTabular([barrios, tipos], len(NUM))
opt = torch.optim.Adam(red.parameters(), lr=5e-3)
perdida = nn.MSELoss()

for epoca in range(1, 16):
    red.train()
    acumulado = 0.0
    for cat, num, y in entreno:
        opt.zero_grad()
        l = perdida(red(cat, num), y)
        l.backward()
        opt.step()
        acumulado += l.item() * len(y)
    if epoca % 5 == 0:
        print(f"época {epoca:2d}  ECM entreno {acumulado / len(df_ent):.4f}")

red.eval()
with torch.no_grad():
    ecm = sum(perdida(red(c, x), y).item() * len(y) for c, x, y in prueba) / len(df_pru)
print(f"ECM prueba {ecm:.4f}   RMSE en euros/m2 {ecm ** 0.5 * escala_y.scale_[0]:.3f}")
