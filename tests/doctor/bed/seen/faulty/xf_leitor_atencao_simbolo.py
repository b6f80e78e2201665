# expect: softmax_wrong_dim @ 21
# allowed: softmax_wrong_dim @ 24
# allowed: softmax_wrong_dim @ 46
"""Classificador de sequencias com agregacao por atencao; registro de agregadores."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

AGREGADORES = {}


def registra(nome):
    def deco(cls):
        AGREGADORES[nome] = cls
        return cls
    return deco


def pesos_mascarados(pontos, mascara, eixo=0):
    """pontos: (lote, passos); posicoes fora da mascara ficam com peso ~0."""
    pontos = pontos.masked_fill(~mascara, -1e4)
    return torch.softmax(pontos, dim=eixo)


@registra("media")
class Media(nn.Module):
    def __init__(self, d):
        super().__init__()

    def forward(self, h, mascara):
        m = mascara.unsqueeze(-1).float()
        return (h * m).sum(1) / m.sum(1)


@registra("atencao")
class Atencao(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.chave = nn.Linear(d, d)
        self.consulta = nn.Parameter(torch.randn(d) / math.sqrt(d))

    def forward(self, h, mascara):
        pontos = torch.tanh(self.chave(h)) @ self.consulta
        a = pesos_mascarados(pontos, mascara)
        return torch.einsum("bt,btd->bd", a, h)


class Leitor(nn.Module):
    def __init__(self, vocab, classes, agregador, d=24):
        super().__init__()
        self.emb = nn.Embedding(vocab, d, padding_idx=0)
        self.mistura = nn.Sequential(nn.Linear(d, d), nn.GELU())
        self.agrega = AGREGADORES[agregador](d)
        self.saida = nn.Linear(d, classes)

    def forward(self, x):
        mascara = x != 0
        return self.saida(self.agrega(self.mistura(self.emb(x)), mascara))


def fabrica(n=3000, passos=20, patentes=7, classes=5):
    """simbolo = 1 + patente * classes + classe; vale a classe do simbolo de maior patente."""
    patente = torch.randint(0, patentes - 1, (n, passos))
    classe = torch.randint(0, classes, (n, passos))
    tam = torch.randint(8, passos + 1, (n,))
    lugar = (torch.rand(n) * tam).long()
    y = torch.arange(n) % classes
    patente[torch.arange(n), lugar] = patentes - 1
    classe[torch.arange(n), lugar] = y
    x = 1 + patente * classes + classe
    x[torch.arange(passos)[None, :] >= tam[:, None]] = 0
    return TensorDataset(x, y)


def acerto(rede, dados):
    rede.eval()
    certos = 0
    with torch.no_grad():
        for x, y in dados:
            certos += (rede(x).argmax(1) == y).sum().item()
    return certos / len(dados.dataset)


def main():
    torch.manual_seed(5)
    treino, teste = random_split(fabrica(), [2400, 600])
    carga = DataLoader(treino, batch_size=64, shuffle=True)
    prova = DataLoader(teste, batch_size=1)  # um pedido por vez, como em producao
    rede = Leitor(36, 5, "atencao")
    otim = torch.optim.Adam(rede.parameters(), lr=3e-3)
    perda = nn.CrossEntropyLoss()
    for epoca in range(6):
        rede.train()
        soma = 0.0
        for x, y in carga:
            otim.zero_grad()
            custo = perda(rede(x), y)
            custo.backward()
            otim.step()
            soma += custo.item() * len(x)
        print(f"epoca {epoca + 1}: perda {soma / len(treino):.4f}")
    print(f"acerto no teste: {acerto(rede, prova):.3f}")


main()
