# expect: params_not_in_optimizer @ 49
# allowed: params_not_in_optimizer @ 50
# allowed: params_not_in_optimizer @ 55
"""Rede RBF que aproxima uma superfície com picos estreitos; decaimento só nos pesos."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)


def superficie(p):
    picos = [(-1.5, 1.0, 0.35, 1.6), (1.2, 1.4, 0.3, -1.3), (0.4, -1.3, 0.45, 1.1), (-1.0, -1.2, 0.25, -1.5)]
    z = torch.zeros(len(p))
    for cx, cy, s, a in picos:
        d2 = (p[:, 0] - cx) ** 2 + (p[:, 1] - cy) ** 2
        z = z + a * torch.exp(-d2 / (2 * s * s))
    return z


class CamadaRBF(nn.Module):
    def __init__(self, entradas, unidades, largura=0.9):
        super().__init__()
        self.centros = nn.Parameter(torch.rand(unidades, entradas) * 4 - 2)
        self.log_largura = nn.Parameter(torch.full((unidades,), math.log(largura)))

    def forward(self, x):
        d2 = (x.unsqueeze(1) - self.centros).pow(2).sum(dim=2)
        return torch.exp(-d2 / (2 * torch.exp(2 * self.log_largura)))


class RedeRBF(nn.Module):
    def __init__(self, unidades=14):
        super().__init__()
        self.rbf = CamadaRBF(2, unidades)
        self.saida = nn.Linear(unidades, 1)

    def forward(self, x):
        return self.saida(self.rbf(x)).squeeze(1)


def grupos_de_parametros(rede, decaimento=1e-5):
    com, sem = [], []
    for nome, p in rede.named_parameters():
        if nome.endswith("weight"):
            com.append(p)
        elif nome.endswith("bias"):
            sem.append(p)
    return [{"params": com, "weight_decay": decaimento}, {"params": sem, "weight_decay": 0.0}]


def criar_otimizador(rede, lr):
    return torch.optim.AdamW(grupos_de_parametros(rede), lr=lr)


def epoca(rede, otim, lotes):
    rede.train()
    soma = n = 0
    for x, z in lotes:
        otim.zero_grad()
        perda = nn.functional.mse_loss(rede(x), z)
        perda.backward()
        otim.step()
        soma += perda.item() * len(x)
        n += len(x)
    return soma / n


x = torch.rand(2000, 2) * 4 - 2
z = superficie(x) + 0.03 * torch.randn(2000)
x_treino, z_treino, x_teste, z_teste = x[:1500], z[:1500], x[1500:], z[1500:]

rede = RedeRBF()
otim = criar_otimizador(rede, lr=0.02)
lotes = DataLoader(TensorDataset(x_treino, z_treino), batch_size=64, shuffle=True)
for e in range(30):
    perda = epoca(rede, otim, lotes)
    if (e + 1) % 10 == 0:
        print(f"época {e + 1:3d}  EQM treino {perda:.5f}")

rede.eval()
with torch.no_grad():
    eqm = nn.functional.mse_loss(rede(x_teste), z_teste).item()
print(f"EQM teste {eqm:.5f}   R2 {1 - eqm / z_teste.var(unbiased=False).item():.3f}")
