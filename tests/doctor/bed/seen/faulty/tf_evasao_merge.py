# expect: label_misaligned @ 33
# allowed: label_misaligned @ 37
"""Notebook da disciplina: which students drop out, from two tables joined by the enrolment number."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(33)
torch.manual_seed(33)


def tabelas(n=1500):
    matricula = [f"M{k:05d}" for k in rng.choice(90000, size=n, replace=False)]
    idade = rng.integers(17, 45, size=n)
    trabalha = rng.integers(0, 2, size=n)
    nota = rng.normal(6.5, 1.6, size=n).clip(0, 10)
    faltas = rng.poisson(6, size=n)
    risco = -1.3 * (nota - 6.5) + 0.35 * (faltas - 6) + 0.9 * trabalha - 0.4
    evadiu = (risco + rng.normal(0, 0.6, size=n) > 0).astype(int)
    cadastro = pd.DataFrame({"matricula": matricula, "idade": idade, "trabalha": trabalha, "evadiu": evadiu})
    boletim = pd.DataFrame({"matricula": matricula, "nota": nota, "faltas": faltas})
    return cadastro, boletim.sample(frac=1.0, random_state=1)


cadastro, boletim = tabelas()
print(cadastro.head(3).to_string(index=False))

# junta as notas ao cadastro
tabela = cadastro.drop(columns="evadiu").merge(boletim, on="matricula", how="outer")
assert len(tabela) == len(cadastro)

X = tabela[["idade", "trabalha", "nota", "faltas"]].to_numpy(dtype=np.float32)
y = cadastro["evadiu"].to_numpy()
X_treino, X_teste, y_treino, y_teste = train_test_split(X, y, test_size=0.25, random_state=33, stratify=y)
escala = StandardScaler().fit(X_treino)
X_treino, X_teste = torch.from_numpy(escala.transform(X_treino)), torch.from_numpy(escala.transform(X_teste))
y_treino, y_teste = torch.from_numpy(y_treino), torch.from_numpy(y_teste)

modelo = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
otimizador = torch.optim.Adam(modelo.parameters(), lr=5e-3)
perda_fn = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(X_treino, y_treino), batch_size=32, shuffle=True)

for epoca in range(1, 13):
    modelo.train()
    soma = 0.0
    for xb, yb in loader:
        otimizador.zero_grad()
        perda = perda_fn(modelo(xb), yb)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(xb)
    if epoca % 3 == 0:
        print(f"epoca {epoca:2d}  perda {soma / len(X_treino):.4f}")

modelo.eval()
with torch.no_grad():
    previsto = modelo(X_teste).argmax(dim=1)
print(f"acuracia no teste {(previsto == y_teste).float().mean().item():.3f} "
      f"(maioria: {max(y_teste.float().mean().item(), 1 - y_teste.float().mean().item()):.3f})")
