# expect: nothing
"""Rede de eco: reservatório recorrente fixo, só a camada de leitura aprende."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(19)
rng = np.random.default_rng(19)


def narma(n):
    u = rng.uniform(0, 0.5, n)
    y = np.zeros(n)
    for t in range(9, n - 1):
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * y[t - 9:t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1
    return u, y


class Reservatorio(nn.Module):
    def __init__(self, unidades=80, raio=0.9, vazamento=0.8):
        super().__init__()
        w = torch.randn(unidades, unidades) * (torch.rand(unidades, unidades) < 0.1)
        w = w * raio / torch.linalg.eigvals(w).abs().max()
        self.recorrente = nn.Parameter(w, requires_grad=False)
        self.entrada = nn.Parameter(torch.empty(unidades).uniform_(-0.5, 0.5), requires_grad=False)
        self.vazamento = vazamento
        self.leitura = nn.Linear(unidades + 1, 1)

    @torch.no_grad()
    def percorrer(self, u):
        h = torch.zeros(len(self.entrada))
        estados = []
        for v in u:
            novo = torch.tanh(self.recorrente @ h + self.entrada * v)
            h = (1 - self.vazamento) * h + self.vazamento * novo
            estados.append(torch.cat([h, v.view(1)]))
        return torch.stack(estados)

    def forward(self, estados):
        return self.leitura(estados).squeeze(-1)


u, y = narma(2600)
corte, aquecer = 2000, 100
mu, du = u[:corte].mean(), u[:corte].std()
my, dy = y[aquecer:corte].mean(), y[aquecer:corte].std()
sinal = torch.tensor((u - mu) / du, dtype=torch.float32)
alvo = torch.tensor((y - my) / dy, dtype=torch.float32)

rede = Reservatorio()
estados = rede.percorrer(sinal)[:-1]
alvo = alvo[1:]
treino_x, treino_y = estados[aquecer:corte - 1], alvo[aquecer:corte - 1]
media, desvio = treino_x.mean(0), treino_x.std(0)
teste_x, teste_y = (estados[corte:] - media) / desvio, alvo[corte:]
treino_x = (treino_x - media) / desvio

otimizador = torch.optim.Adam(rede.leitura.parameters(), lr=1e-2)
lotes = DataLoader(TensorDataset(treino_x, treino_y), batch_size=64, shuffle=True)
for epoca in range(30):
    rede.train()
    soma = 0.0
    for x, t in lotes:
        perda = nn.functional.mse_loss(rede(x), t)
        otimizador.zero_grad()
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(t)
    if epoca % 10 == 9:
        print(f"época {epoca + 1}: perda {soma / len(treino_x):.4f}")

rede.eval()
with torch.no_grad():
    erro = nn.functional.mse_loss(rede(teste_x), teste_y).item()
print(f"erro no teste {erro:.4f}, variância do alvo {teste_y.var().item():.4f}")
