# expect: nothing
# Previsão da próxima hora: corte cronológico; ruído fixo só na medida de robustez, livre no treino
import numpy as np
import torch
from torch.func import functional_call, grad
from torch import nn

SEMENTE = 19
JANELA = 24
torch.manual_seed(SEMENTE)


def consumo(horas=1500):
    rng = np.random.default_rng(SEMENTE)
    t = np.arange(horas)
    base = 30 + 6 * np.sin(2 * np.pi * t / 24) + 3 * np.sin(2 * np.pi * t / 168)
    desvio = np.zeros(horas)
    for k in range(1, horas):
        desvio[k] = 0.7 * desvio[k - 1] + rng.normal(0, 1)
    return torch.tensor(base + desvio, dtype=torch.float32)


serie = consumo()
fim_treino = 1100
mu, dp = serie[:fim_treino].mean(), serie[:fim_treino].std()
z = (serie - mu) / dp


def janelas(trecho):
    w = trecho.unfold(0, JANELA + 1, 1)
    return w[:, :-1], w[:, -1:]


x_tr, y_tr = janelas(z[:fim_treino])
x_te, y_te = janelas(z[fim_treino:])

rede = nn.Sequential(nn.Linear(JANELA, 24), nn.Tanh(), nn.Linear(24, 1))
p = {k: v.detach().clone() for k, v in rede.named_parameters()}
m = {k: torch.zeros_like(v) for k, v in p.items()}


def prever(p, x):
    return functional_call(rede, p, (x,))


def perda(p, x, y):
    return ((prever(p, x) - y) ** 2).mean()


gradiente = grad(perda)


@torch.no_grad()
def erro(p, x, y, ruido=0.0):
    # mesmas perturbações em toda chamada, para que as épocas sejam comparáveis
    g = torch.Generator().manual_seed(1234)
    return ((prever(p, x + ruido * torch.randn(x.shape, generator=g)) - y).abs().mean() * dp).item()


for epoca in range(1, 41):
    for linhas in torch.randperm(len(y_tr)).split(64):
        x = x_tr[linhas] + 0.05 * torch.randn(len(linhas), JANELA)
        g = gradiente(p, x, y_tr[linhas])
        for k in p:
            m[k] = 0.9 * m[k] + g[k]
            p[k] = p[k] - 0.02 * m[k]
    if epoca % 10 == 0:
        print(f"época {epoca}: treino limpo {erro(p, x_tr, y_tr):.3f}  treino com ruído {erro(p, x_tr, y_tr, 0.2):.3f}")

repetir = ((x_te[:, -1:] - y_te).abs().mean() * dp).item()
print(f"teste: limpo {erro(p, x_te, y_te):.3f}  com ruído {erro(p, x_te, y_te, 0.2):.3f}  repetir a última hora {repetir:.3f}")
