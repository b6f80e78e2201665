# expect: nothing
"""Classificação do estado de um motor a partir de janelas de vibração (CNN 1D)."""
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEMENTE = 11
rng = np.random.default_rng(SEMENTE)
torch.manual_seed(SEMENTE)

FREQ = [6.0, 7.0, 8.0, 9.0]


def gerar(n, comprimento=64):
    t = np.arange(comprimento) / comprimento
    classes = rng.integers(0, len(FREQ), n)
    sinais = np.empty((n, 1, comprimento), dtype=np.float32)
    for i, c in enumerate(classes):
        f = FREQ[c] + rng.normal(0, 0.25)
        fase = rng.uniform(0, 2 * np.pi)
        sinais[i, 0] = np.sin(2 * np.pi * f * t + fase) + rng.normal(0, 1.5, comprimento)
    return torch.from_numpy(sinais), torch.from_numpy(classes)


x_treino, y_treino = gerar(400)
x_valid, y_valid = gerar(300)
x_teste, y_teste = gerar(1000)

media, desvio = x_treino.mean(), x_treino.std()
x_treino, x_valid, x_teste = [(x - media) / desvio for x in (x_treino, x_valid, x_teste)]

carregador = DataLoader(TensorDataset(x_treino, y_treino), batch_size=32, shuffle=True)

modelo = nn.Sequential(
    nn.Conv1d(1, 24, 9, padding=4), nn.BatchNorm1d(24), nn.ReLU(), nn.MaxPool1d(2),
    nn.Conv1d(24, 48, 7, padding=3), nn.BatchNorm1d(48), nn.ReLU(), nn.MaxPool1d(4),
    nn.Flatten(), nn.Dropout(0.5),
    nn.Linear(48 * 8, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 4),
)
criterio = nn.CrossEntropyLoss()
otimizador = torch.optim.Adam(modelo.parameters(), lr=2e-3)
agenda = torch.optim.lr_scheduler.StepLR(otimizador, step_size=20, gamma=0.5)


@torch.no_grad()
def avaliar(x, y):
    modelo.eval()
    saida = modelo(x)
    return criterio(saida, y).item(), (saida.argmax(1) == y).float().mean().item()


EPOCAS = 50
for epoca in range(EPOCAS):
    modelo.train()
    soma = 0.0
    for xb, yb in carregador:
        otimizador.zero_grad()
        perda = criterio(modelo(xb), yb)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(xb)
    agenda.step()

    if epoca % 5 == 4:
        perda_v, acc_v = avaliar(x_valid, y_valid)
        print(f"época {epoca + 1:2d}  treino {soma / len(x_treino):.3f}  valid {perda_v:.3f}  acc {acc_v:.3f}")

torch.save(modelo.state_dict(), os.path.join(tempfile.gettempdir(), "vibracao.pt"))
perda_t, acc_t = avaliar(x_teste, y_teste)
print(f"teste: perda {perda_t:.3f}  acurácia {acc_t:.3f}")
