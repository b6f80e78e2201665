# expect: nothing
"""Digitos com dez saidas sigmoides (um contra todos) e bias inicial pela frequencia esperada."""
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


@dataclass
class Config:
    camadas: list = field(default_factory=lambda: [64, 96, 48, 10])
    frequencia: float = 0.01
    taxa: float = 0.002
    lote: int = 64
    epocas: int = 15
    semente: int = 6


def bias_pela_frequencia(camada, freq):
    """a saida comeca em `freq`, assim os negativos faceis nao dominam os primeiros passos"""
    if isinstance(camada, nn.Linear):
        nn.init.constant_(camada.bias, -math.log((1 - freq) / freq))


def monta(cfg):
    blocos = []
    for i, (a, b) in enumerate(zip(cfg.camadas, cfg.camadas[1:])):
        blocos.append(nn.Linear(a, b))
        if i < len(cfg.camadas) - 2:
            blocos.append(nn.ReLU())
    rede = nn.Sequential(*blocos)
    bias_pela_frequencia(rede[-1], cfg.frequencia)
    return rede


def dados(semente):
    d = load_digits()
    x_tr, x_te, y_tr, y_te = train_test_split(
        d.data / 16.0, d.target, test_size=0.25, random_state=semente, stratify=d.target
    )
    m = x_tr.mean(axis=0)
    s = x_tr.std()
    f = lambda x: torch.tensor((x - m) / s, dtype=torch.float32)
    return f(x_tr), torch.tensor(y_tr), f(x_te), torch.tensor(y_te)


@torch.no_grad()
def acerto(rede, x, y):
    rede.eval()
    certo = rede(x).argmax(dim=1).eq(y).float().mean().item()
    rede.train()
    return certo


def treina(cfg):
    torch.manual_seed(cfg.semente)
    x, y, x_te, y_te = dados(cfg.semente)
    alvo = F.one_hot(y, 10).float()
    rede = monta(cfg)
    opt = torch.optim.Adam(rede.parameters(), lr=cfg.taxa)
    for ep in range(1, cfg.epocas + 1):
        acumulado = 0.0
        for idx in torch.randperm(len(x)).split(cfg.lote):
            perda = F.binary_cross_entropy_with_logits(rede(x[idx]), alvo[idx])
            opt.zero_grad()
            perda.backward()
            opt.step()
            acumulado += perda.item() * len(idx)
        if ep % 5 == 0:
            print(f"epoca {ep:2d} perda {acumulado / len(x):.4f}")
    print(f"acerto treino {acerto(rede, x, y):.3f} teste {acerto(rede, x_te, y_te):.3f}")


treina(Config())
