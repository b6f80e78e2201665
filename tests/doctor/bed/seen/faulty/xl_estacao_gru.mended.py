# expect: nothing
# Previsão de chuva acumulada nas próximas horas a partir de uma estação meteorológica
# colunas: temperatura (C), pressão (Pa), umidade (0-1), radiação (W/m2)
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(4)
torch.manual_seed(4)

JANELA = 16


def simular(n):
    frente = np.zeros(n)
    umid = np.zeros(n)
    for t in range(1, n):
        frente[t] = 0.9 * frente[t - 1] + np.random.randn() * 0.44
        umid[t] = 0.85 * umid[t - 1] + np.random.randn() * 0.53
    hora = np.arange(n) % 24
    temperatura = 22 + 6 * np.sin(2 * np.pi * hora / 24) + np.random.randn(n)
    pressao = 101325 - 600 * frente + 60 * np.random.randn(n)
    umidade = 1 / (1 + np.exp(-umid))
    radiacao = 700 * np.clip(np.sin(2 * np.pi * (hora - 6) / 24), 0, None) * (1 - 0.5 * umidade)
    chuva = 1.2 * np.tanh(frente) + 0.8 * umid + 0.1 * np.random.randn(n)
    return np.stack([temperatura, pressao, umidade, radiacao], axis=1), chuva


def em_janelas(valores, alvo):
    xs = [valores[i:i + JANELA] for i in range(len(valores) - JANELA)]
    ys = alvo[JANELA:]
    return torch.tensor(np.stack(xs), dtype=torch.float32), torch.tensor(ys, dtype=torch.float32)


class Estacao(nn.Module):
    def __init__(self, n_colunas, oculto=32):
        super().__init__()
        self.gru = nn.GRU(n_colunas, oculto, batch_first=True)
        self.cabeca = nn.Linear(oculto, 1)

    def forward(self, x):
        saida, _ = self.gru(x)
        return self.cabeca(saida[:, -1]).squeeze(1)


valores, chuva = simular(3000)
corte = 2400
media_y, desvio_y = chuva[:corte].mean(), chuva[:corte].std()
chuva = (chuva - media_y) / desvio_y
valores = (valores - valores[:corte].mean(0)) / valores[:corte].std(0)
x_treino, y_treino = em_janelas(valores[:corte], chuva[:corte])
x_teste, y_teste = em_janelas(valores[corte:], chuva[corte:])

lotes = DataLoader(TensorDataset(x_treino, y_treino), batch_size=64, shuffle=True)
modelo = Estacao(valores.shape[1])
criterio = nn.MSELoss()
otimizador = torch.optim.Adam(modelo.parameters(), lr=3e-3)

for epoca in range(10):
    modelo.train()
    soma = 0.0
    for xb, yb in lotes:
        otimizador.zero_grad()
        perda = criterio(modelo(xb), yb)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(xb)
    print(f"época {epoca + 1:2d}  mse {soma / len(x_treino):.4f}")

modelo.eval()
with torch.no_grad():
    erro = (modelo(x_teste) - y_teste).pow(2).mean().item()
print(f"mse no teste {erro:.4f}  (R2 {1 - erro / y_teste.var().item():.3f})")
