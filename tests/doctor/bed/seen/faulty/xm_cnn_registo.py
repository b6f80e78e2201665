# expect: missing_eval @ 99
# allowed: missing_eval @ 57
# allowed: missing_eval @ 60
# allowed: missing_eval @ 96
# allowed: missing_eval @ 97
"""Treino de redes de imagem por nome (registo de arquiteturas) com ponto de controlo."""
import argparse
import os
import tempfile

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

REGISTO = {}


def registar(nome):
    def decorador(classe):
        REGISTO[nome] = classe
        return classe
    return decorador


@registar("densa")
class Densa(nn.Sequential):
    def __init__(self, abandono):
        super().__init__(
            nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(abandono), nn.Linear(128, 10))


@registar("conv")
class Conv(nn.Sequential):
    def __init__(self, abandono):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(abandono), nn.Linear(128, 64), nn.ReLU(),
            nn.Dropout(abandono), nn.Linear(64, 10))


def carregar_dados(semente, lote):
    imagens, alvo = load_digits(return_X_y=True)
    imagens = (imagens / 16.0).reshape(-1, 1, 8, 8).astype("float32")
    x_tr, x_te, y_tr, y_te = train_test_split(imagens, alvo, test_size=400, stratify=alvo, random_state=semente)
    x_tr, x_va, y_tr, y_va = train_test_split(x_tr, y_tr, test_size=300, stratify=y_tr, random_state=semente)

    def lotes(x, y, baralhar=False):
        return DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), lote, shuffle=baralhar)

    return lotes(x_tr, y_tr, True), lotes(x_va, y_va), lotes(x_te, y_te)


@torch.no_grad()
def acertos(rede, lotes):
    certos = 0
    for x, y in lotes:
        certos += (rede(x).argmax(1) == y).sum().item()
    return certos / len(lotes.dataset)


def treinar(rede, lotes_tr, lotes_va, epocas, caminho):
    otimizador = torch.optim.Adam(rede.parameters(), lr=3e-3)
    criterio = nn.CrossEntropyLoss()
    melhor = -1.0
    for epoca in range(epocas):
        rede.train()
        for x, y in lotes_tr:
            otimizador.zero_grad()
            criterio(rede(x), y).backward()
            otimizador.step()
        rede.eval()
        valor = acertos(rede, lotes_va)
        print(f"época {epoca + 1}: validação {valor:.3f}")
        if valor > melhor:
            melhor = valor
            torch.save(rede.state_dict(), caminho)
    return melhor


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--rede", default="conv", choices=sorted(REGISTO))
    p.add_argument("--abandono", type=float, default=0.5)
    p.add_argument("--epocas", type=int, default=8)
    p.add_argument("--semente", type=int, default=13)
    args = p.parse_args()

    torch.manual_seed(args.semente)
    tr, va, te = carregar_dados(args.semente, lote=64)
    with tempfile.TemporaryDirectory() as pasta:
        caminho = os.path.join(pasta, "melhor.pt")
        melhor = treinar(REGISTO[args.rede](args.abandono), tr, va, args.epocas, caminho)
        final = REGISTO[args.rede](args.abandono)
        final.load_state_dict(torch.load(caminho))
    print(f"melhor validação {melhor:.3f}")
    print(f"teste {acertos(final, te):.3f}")
