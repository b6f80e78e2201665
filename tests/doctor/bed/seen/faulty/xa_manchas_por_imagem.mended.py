# expect: nothing
"""Cor de fundo: três tons de cinza sob iluminação ruidosa.

Treino com acumulação de gradiente para caber em placas pequenas. A rede é
convolucional com BatchNorm2d; a avaliação usa as médias correntes.
"""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    lado: int = 10
    treino: int = 360
    teste: int = 150
    tamanho_lote: int = 12
    lote_efetivo: int = 24
    epocas: int = 6
    lr: float = 5e-3


def pintar(n, lado, semente):
    g = torch.Generator().manual_seed(semente)
    tom = torch.randint(0, 3, (n,), generator=g)
    fundo = (tom.float() - 1.0).view(n, 1, 1, 1)
    textura = 0.4 * torch.randn(n, 1, lado, lado, generator=g)
    return fundo + textura, tom


class Rede(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 16, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.fim = nn.Linear(16, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.relu(self.bn2(self.conv2(x)))
        return self.fim(x.mean(dim=(2, 3)))


def carregadores(cfg):
    treino = TensorDataset(*pintar(cfg.treino, cfg.lado, 1))
    teste = TensorDataset(*pintar(cfg.teste, cfg.lado, 2))
    return (
        DataLoader(treino, batch_size=cfg.tamanho_lote, shuffle=True, drop_last=True),
        DataLoader(teste, batch_size=75),
    )


def epoca_de_treino(rede, lotes, otimizador, cada):
    rede.train()
    total = 0.0
    otimizador.zero_grad()
    for passo, (x, y) in enumerate(lotes, start=1):
        perda = F.cross_entropy(rede(x), y)
        (perda / cada).backward()
        total += perda.item()
        if passo % cada == 0:
            otimizador.step()
            otimizador.zero_grad()
    return total / len(lotes)


@torch.no_grad()
def acuracia(rede, lotes):
    rede.eval()
    certos = [(rede(x).argmax(dim=1) == y).float() for x, y in lotes]
    return torch.cat(certos).mean().item()


def principal():
    torch.manual_seed(0)
    cfg = Config()
    treino, teste = carregadores(cfg)
    rede = Rede()
    otimizador = torch.optim.Adam(rede.parameters(), lr=cfg.lr)
    cada = cfg.lote_efetivo // cfg.tamanho_lote
    for e in range(cfg.epocas):
        media = epoca_de_treino(rede, treino, otimizador, cada)
        print(f"época {e + 1}: perda {media:.4f}")
    print(f"acurácia no teste: {acuracia(rede, teste):.3f}")


if __name__ == "__main__":
    principal()
