# expect: nothing
"""
Trabalho 3 - Aprendizado Profundo (turma de terca)
Classificacao de vinhos com validacao cruzada estratificada.
Para cada dobra: padroniza com o treino, treina um MLP com dropout, avalia na dobra.
"""
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

SEMENTE = 2024
N_DOBRAS = 4
EPOCAS = 25


def fixar_sementes(valor=SEMENTE):
    random.seed(valor)
    np.random.seed(valor)
    torch.manual_seed(valor)


class RedeVinho(nn.Module):
    def __init__(self, n_entradas, n_classes, p=0.25):
        super().__init__()
        self.camadas = nn.Sequential(
            nn.Linear(n_entradas, 32),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(32, n_classes),
        )

    def forward(self, x):
        return self.camadas(x)


def em_tensores(X, y):
    return TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.long))


def treinar_epoca(rede, carregador, criterio, otimizador):
    rede.train()
    soma, total = 0.0, 0
    for xb, yb in carregador:
        otimizador.zero_grad()
        perda = criterio(rede(xb), yb)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(yb)
        total += len(yb)
    return soma / total


@torch.no_grad()
def acuracia(rede, carregador):
    rede.eval()
    certos = total = 0
    for xb, yb in carregador:
        certos += (rede(xb).argmax(dim=1) == yb).sum().item()
        total += len(yb)
    return certos / total


def rodar_dobra(X, y, idx_treino, idx_val):
    padronizador = StandardScaler().fit(X[idx_treino])
    treino = em_tensores(padronizador.transform(X[idx_treino]), y[idx_treino])
    val = em_tensores(padronizador.transform(X[idx_val]), y[idx_val])
    dl_treino = DataLoader(treino, batch_size=16, shuffle=True)
    dl_val = DataLoader(val, batch_size=64)

    rede = RedeVinho(X.shape[1], len(np.unique(y)))
    criterio = nn.CrossEntropyLoss()
    otimizador = torch.optim.Adam(rede.parameters(), lr=3e-3)
    for epoca in range(EPOCAS):
        perda = treinar_epoca(rede, dl_treino, criterio, otimizador)
        if (epoca + 1) % 10 == 0:
            print(f"   epoca {epoca + 1:2d}  perda {perda:.4f}")
    return acuracia(rede, dl_val)


def main():
    fixar_sementes()
    X, y = load_wine(return_X_y=True)
    dobras = StratifiedKFold(n_splits=N_DOBRAS, shuffle=True, random_state=SEMENTE)
    notas = []
    for k, (tr, va) in enumerate(dobras.split(X, y), start=1):
        print(f"dobra {k}")
        notas.append(rodar_dobra(X, y, tr, va))
        print(f"   acuracia {notas[-1]:.3f}")
    print(f"media {np.mean(notas):.3f} +- {np.std(notas):.3f}")


if __name__ == "__main__":
    main()
