# expect: weight_decay_too_high @ 15
# allowed: weight_decay_too_high @ 21
# allowed: weight_decay_too_high @ 37
# allowed: weight_decay_too_high @ 40
"""Compara redes e otimizadores nos mesmos dados; tudo vem de um dicionario de receitas."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

RECEITAS = {
    "base": {"larguras": (32,), "otim": "sgd", "lr": 5e-2, "decai": 1e-4, "epocas": 30},
    "larga": {"larguras": (128,), "otim": "adam", "lr": 2e-3, "decai": 1e-4, "epocas": 30},
    "funda": {"larguras": (48, 48), "otim": "adamw", "lr": 2e-3, "decai": 1e2, "epocas": 30},
}

OTIMIZADORES = {
    "sgd": lambda grupos, lr: torch.optim.SGD(grupos, lr=lr, momentum=0.9),
    "adam": lambda grupos, lr: torch.optim.Adam(grupos, lr=lr),
    "adamw": lambda grupos, lr: torch.optim.AdamW(grupos, lr=lr),
}


def monta_rede(entrada, larguras, classes):
    camadas, d = [], entrada
    for w in larguras:
        camadas += [nn.Linear(d, w), nn.SiLU()]
        d = w
    return nn.Sequential(*camadas, nn.Linear(d, classes))


def monta_otim(rede, receita):
    pesos = [p for p in rede.parameters() if p.ndim > 1]
    vieses = [p for p in rede.parameters() if p.ndim <= 1]
    grupos = [
        {"params": pesos, "weight_decay": receita["decai"]},
        {"params": vieses, "weight_decay": 0.0},
    ]
    return OTIMIZADORES[receita["otim"]](grupos, receita["lr"])


def treina(rede, otim, x, y, epocas, lote=16):
    custo = nn.CrossEntropyLoss()
    for _ in range(epocas):
        rede.train()
        soma = 0.0
        for idx in torch.randperm(len(x)).split(lote):
            otim.zero_grad()
            perda = custo(rede(x[idx]), y[idx])
            perda.backward()
            otim.step()
            soma += perda.item() * len(idx)
    return soma / len(x)


@torch.no_grad()
def acerto(rede, x, y):
    rede.eval()
    return (rede(x).argmax(1) == y).float().mean().item()


def main():
    x, y = load_wine(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, stratify=y, random_state=2)
    escala = StandardScaler().fit(xa)
    xa = torch.tensor(escala.transform(xa), dtype=torch.float32)
    xb = torch.tensor(escala.transform(xb), dtype=torch.float32)
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    torch.manual_seed(2)
    for nome, receita in RECEITAS.items():
        rede = monta_rede(xa.shape[1], receita["larguras"], 3)
        perda = treina(rede, monta_otim(rede, receita), xa, ya, receita["epocas"])
        norma = sum(p.norm().item() for p in rede.parameters() if p.ndim > 1)
        print(f"{nome:6s} perda {perda:.4f}  norma {norma:7.3f}  teste {acerto(rede, xb, yb):.3f}")


main()
