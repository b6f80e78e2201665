# expect: sorted_split @ 23
# allowed: sorted_split @ 17
# allowed: sorted_split @ 33
# allowed: sorted_split @ 34
"""Kernel de classificação de vinhos: treino e teste cortados da tabela."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_wine

torch.manual_seed(81)


def carregar():
    vinhos = load_wine(as_frame=True)
    tabela = vinhos.frame.rename(columns={"target": "classe"})
    return tabela


def dividir(tabela, fracao=0.75):
    corte = int(len(tabela) * fracao)
    return tabela.iloc[:corte], tabela.iloc[corte:]


def padronizar(treino, teste):
    colunas = [c for c in treino.columns if c != "classe"]
    media, desvio = treino[colunas].mean(), treino[colunas].std()
    return ((treino[colunas] - media) / desvio).to_numpy(np.float32), \
        ((teste[colunas] - media) / desvio).to_numpy(np.float32)


tabela = carregar()
treino, teste = dividir(tabela)
xa, xb = map(torch.from_numpy, padronizar(treino, teste))
ya = torch.tensor(treino["classe"].to_numpy(), dtype=torch.long)
yb = torch.tensor(teste["classe"].to_numpy(), dtype=torch.long)

rede = nn.Sequential(nn.Linear(xa.shape[1], 20), nn.ReLU(), nn.Linear(20, 3))
otimizador = torch.optim.Adam(rede.parameters(), lr=0.01)
criterio = nn.CrossEntropyLoss()

for epoca in range(30):
    rede.train()
    soma = 0.0
    for lote in torch.randperm(len(xa)).split(19):
        otimizador.zero_grad()
        perda = criterio(rede(xa[lote]), ya[lote])
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(lote)
    if epoca % 10 == 9:
        print(f"epoca {epoca + 1} perda {soma / len(xa):.4f}")

rede.eval()
with torch.no_grad():
    acerto = (rede(xb).argmax(1) == yb).float().mean().item()
print(f"acerto no teste {acerto:.3f}")
