# expect: nothing
"""Vendas por loja e produto: embeddings esparsos + parte densa, dois otimizadores."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import GroupShuffleSplit
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(8)
rng = np.random.default_rng(8)

N_LOJAS, N_PRODUTOS, SEMANAS = 80, 40, 120
efeito_loja = rng.normal(0, 1.0, N_LOJAS)
efeito_prod = rng.normal(0, 0.8, N_PRODUTOS)
linhas = 6000
vendas = pd.DataFrame({
    "semana": rng.integers(0, SEMANAS, linhas),
    "loja": rng.integers(0, N_LOJAS, linhas),
    "produto": rng.integers(0, N_PRODUTOS, linhas),
    "desconto": rng.uniform(0, 0.5, linhas),
})
vendas["log_qtd"] = (efeito_loja[vendas.loja] + efeito_prod[vendas["produto"]]
                     + 1.5 * vendas.desconto + rng.normal(0, 0.3, linhas))

corte = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=8)
i_tr, i_te = next(corte.split(vendas, groups=vendas.semana))
tr, te = vendas.iloc[i_tr], vendas.iloc[i_te]
media, desvio = tr.desconto.mean(), tr.desconto.std()


class TabelaVendas(Dataset):
    def __init__(self, df):
        self.ids = torch.tensor(df[["loja", "produto"]].values)
        self.x = torch.tensor(((df[["desconto"]] - media) / desvio).values, dtype=torch.float32)
        self.y = torch.tensor(df["log_qtd"].values, dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, k):
        return self.ids[k], self.x[k], self.y[k]


class Modelo(nn.Module):
    def __init__(self, dim=3):
        super().__init__()
        self.loja = nn.Embedding(N_LOJAS, dim, sparse=True)
        self.produto = nn.Embedding(N_PRODUTOS, dim, sparse=True)
        self.densa = nn.Sequential(nn.Linear(2 * dim + 1, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, ids, x):
        z = torch.cat([self.loja(ids[:, 0]), self.produto(ids[:, 1]), x], dim=1)
        return self.densa(z).squeeze(1)


modelo = Modelo()
opt_emb = torch.optim.SparseAdam(list(modelo.loja.parameters()) + list(modelo.produto.parameters()), lr=1e-2)
opt_densa = torch.optim.Adam(modelo.densa.parameters(), lr=5e-3)
carga = DataLoader(TabelaVendas(tr), batch_size=128, shuffle=True)
carga_te = DataLoader(TabelaVendas(te), batch_size=400)

for ep in range(10):
    modelo.train()
    soma = 0.0
    for ids, x, y in carga:
        perda = nn.functional.mse_loss(modelo(ids, x), y)
        opt_emb.zero_grad()
        opt_densa.zero_grad()
        perda.backward()
        opt_densa.step()
        opt_emb.step()
        soma += perda.item() * len(y)
    print(f"época {ep + 1:2d}: mse treino {soma / len(tr):.4f}")

modelo.eval()
with torch.no_grad():
    erro = sum(nn.functional.mse_loss(modelo(i, x), y, reduction="sum").item() for i, x, y in carga_te)
print(f"rmse teste: {(erro / len(te)) ** 0.5:.3f}   desvio do alvo: {te.log_qtd.std():.3f}")
