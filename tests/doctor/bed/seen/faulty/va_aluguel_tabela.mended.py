# expect: nothing
# Trabalho final - Aprendizado de Máquina
# Prever o aluguel (em milhares de reais) a partir da ficha do imóvel
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.compose import ColumnTransformer
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch.utils.data import DataLoader, TensorDataset

BAIRROS = ["centro", "norte", "sul", "praia"]
CATEGORICAS = ["bairro"]
NUMERICAS = ["quartos", "idade", "area", "renda_bairro", "dist_metro"]


def gera_imoveis(n=800, semente=5):
    r = np.random.default_rng(semente)
    df = pd.DataFrame({
        "quartos": r.integers(1, 6, n),
        "idade": r.uniform(0, 50, n),
        "bairro": r.choice(BAIRROS, n),
    })
    df["area"] = 25 * df["quartos"] + r.normal(30, 12, n).clip(0)
    df["renda_bairro"] = r.normal(42000, 9000, n).clip(12000)
    df["dist_metro"] = r.exponential(1800, n)
    extra = df["bairro"].map({"centro": 0.3, "norte": -0.2, "sul": 0.4, "praia": 1.2})
    df["aluguel"] = (0.6 + 0.012 * df["area"] + 3.5e-5 * df["renda_bairro"] - 0.25e-3 * df["dist_metro"]
                     - 0.008 * df["idade"] + extra + r.normal(0, 0.15, n))
    return df


def prepara(df_treino, df_teste):
    preparo = ColumnTransformer([
        ("num", StandardScaler(), NUMERICAS),
        ("cat", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), CATEGORICAS),
    ], remainder="passthrough")
    Xtr = preparo.fit_transform(df_treino.drop(columns="aluguel"))
    Xte = preparo.transform(df_teste.drop(columns="aluguel"))
    return Xtr, Xte


def para_tensor(a):
    return torch.tensor(np.asarray(a), dtype=torch.float32)


class Regressor(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        return self.f(x).squeeze(-1)


torch.manual_seed(5)
df = gera_imoveis()
treino, teste = train_test_split(df, test_size=0.25, random_state=5)
Xtr, Xte = prepara(treino, teste)
ytr, yte = treino["aluguel"].to_numpy(), teste["aluguel"].to_numpy()
print("colunas depois do preparo:", Xtr.shape[1])

carregador = DataLoader(TensorDataset(para_tensor(Xtr), para_tensor(ytr)), batch_size=32, shuffle=True)
modelo = Regressor(Xtr.shape[1])
otim = torch.optim.Adam(modelo.parameters(), lr=3e-3)
mse = nn.MSELoss()

for epoca in range(1, 21):
    modelo.train()
    soma = 0.0
    for xb, yb in carregador:
        otim.zero_grad()
        perda = mse(modelo(xb), yb)
        perda.backward()
        otim.step()
        soma += perda.item() * len(yb)
    if epoca == 1 or epoca % 4 == 0:
        print(f"época {epoca:2d}: mse de treino {soma / len(ytr):.4f}")

modelo.eval()
with torch.no_grad():
    prev = modelo(para_tensor(Xte)).numpy()
print(f"teste: R2 = {r2_score(yte, prev):.3f}, MAE = {mean_absolute_error(yte, prev):.3f} mil reais")
