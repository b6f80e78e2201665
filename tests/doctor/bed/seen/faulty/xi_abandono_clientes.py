# expect: label_misaligned @ 36
# allowed: label_misaligned @ 35
# Predicción de abandono: dos tablas (clientes y uso), una red pequeña
import numpy as np
import pandas as pd
import torch
from sklearn.compose import ColumnTransformer
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(33)
rng = np.random.default_rng(33)
N = 2000

clientes = pd.DataFrame({
    "id": np.arange(N),
    "plan": rng.choice(["basico", "familiar", "premium"], N),
    "antiguedad": rng.integers(1, 72, N),
    "cuota": rng.normal(45, 12, N).round(2),
})
uso = pd.DataFrame({
    "id": rng.permutation(N),
    "llamadas_soporte": rng.poisson(2, N),
    "gigas": rng.gamma(3, 4, N).round(1),
})
todo = clientes.merge(uso, on="id")
riesgo = (0.9 * todo.llamadas_soporte - 0.07 * todo.antiguedad + 0.06 * todo.cuota
          - 0.08 * todo.gigas - 1.0 * (todo.plan == "premium"))
clientes["abandona"] = (riesgo + rng.logistic(0, 0.5, N) > riesgo.median()).astype(int).values

# la tabla de uso llega en el orden del operador
datos = uso.merge(clientes.drop(columns="abandona"), on="id")
y = clientes["abandona"].values
X = datos.drop(columns="id")

X_ent, X_pru, y_ent, y_pru = train_test_split(X, y, test_size=0.25, stratify=y, random_state=33)
prep = ColumnTransformer([
    ("num", StandardScaler(), ["llamadas_soporte", "gigas", "antiguedad", "cuota"]),
    ("cat", OneHotEncoder(sparse_output=False), ["plan"]),
])
X_ent = torch.tensor(prep.fit_transform(X_ent), dtype=torch.float32)
X_pru = torch.tensor(prep.transform(X_pru), dtype=torch.float32)
cargador = DataLoader(TensorDataset(X_ent, torch.tensor(y_ent, dtype=torch.float32)),
                      batch_size=64, shuffle=True)

red = nn.Sequential(nn.Linear(X_ent.shape[1], 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 1))
opt = torch.optim.AdamW(red.parameters(), lr=3e-3, weight_decay=1e-2)
perdida = nn.BCEWithLogitsLoss()

for epoca in range(1, 16):
    red.train()
    acumulada = 0.0
    for xb, yb in cargador:
        opt.zero_grad()
        l = perdida(red(xb).squeeze(1), yb)
        l.backward()
        opt.step()
        acumulada += l.item() * len(yb)
    if epoca % 3 == 0:
        print(f"época {epoca}: pérdida {acumulada / len(y_ent):.4f}")

red.eval()
with torch.no_grad():
    prob = torch.sigmoid(red(X_pru)).squeeze(1).numpy()
print(f"exactitud {accuracy_score(y_pru, prob > 0.5):.3f}  AUC {roc_auc_score(y_pru, prob):.3f}")
