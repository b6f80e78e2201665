# expect: metric_wrong_axis @ 25
# allowed: metric_wrong_axis @ 26
# allowed: metric_wrong_axis @ 46
"""Classificador de dígitos com uma rede pequena (exercício da semana 4)."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def ler_dados(lote, semente):
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(
        X / 16.0, y, test_size=0.25, stratify=y, random_state=semente)
    treino = TensorDataset(torch.tensor(X_tr, dtype=torch.float32), torch.tensor(y_tr))
    teste = TensorDataset(torch.tensor(X_te, dtype=torch.float32), torch.tensor(y_te))
    return (DataLoader(treino, batch_size=lote, shuffle=True),
            DataLoader(teste, batch_size=len(teste)))


def acertos(saida, alvo):
    previsto = saida.argmax(dim=1, keepdim=True)
    return (previsto == alvo).float().mean().item()


def treinar(rede, carregador, otimizador, criterio):
    rede.train()
    soma, n = 0.0, 0
    for xb, yb in carregador:
        otimizador.zero_grad()
        perda = criterio(rede(xb), yb)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(xb)
        n += len(xb)
    return soma / n


@torch.no_grad()
def avaliar(rede, carregador):
    rede.eval()
    xb, yb = next(iter(carregador))
    return acertos(rede(xb), yb)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--epocas", type=int, default=15)
    p.add_argument("--lote", type=int, default=64)
    p.add_argument("--taxa", type=float, default=2e-3)
    p.add_argument("--semente", type=int, default=7)
    args = p.parse_args()

    torch.manual_seed(args.semente)
    treino, teste = ler_dados(args.lote, args.semente)
    rede = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
    otimizador = torch.optim.Adam(rede.parameters(), lr=args.taxa)
    criterio = nn.CrossEntropyLoss()
    for epoca in range(args.epocas):
        perda = treinar(rede, treino, otimizador, criterio)
        print(f"época {epoca + 1:2d}  perda {perda:.4f}")
    print(f"acurácia no teste: {avaliar(rede, teste):.3f}")


if __name__ == "__main__":
    main()
