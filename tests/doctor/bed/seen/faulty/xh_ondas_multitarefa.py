# expect: detached_graph @ 38
# Duas tarefas sobre a mesma série: tipo de onda (classe) e período (regressão)
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(21)

COMPRIMENTO = 32


def gerar_series(n):
    tipo = torch.arange(n) % 3
    periodo = 5 + 11 * torch.rand(n, 1)
    fase = 2 * math.pi * torch.rand(n, 1)
    t = torch.arange(COMPRIMENTO).float()
    angulo = 2 * math.pi * t / periodo + fase
    seno = torch.sin(angulo)
    quadrada = torch.sign(seno)
    serra = (angulo / math.pi) % 2 - 1
    todas = torch.stack([seno, quadrada, serra], dim=1)
    serie = todas[torch.arange(n), tipo] + 0.15 * torch.randn(n, COMPRIMENTO)
    alvo = (periodo.squeeze(1) - 10.5) / 3.2
    return serie.unsqueeze(-1), tipo, alvo


class RedeMultitarefa(nn.Module):
    def __init__(self, oculto=32):
        super().__init__()
        self.tronco = nn.GRU(1, oculto, batch_first=True)
        self.cabeca_tipo = nn.Sequential(nn.Linear(oculto, 32), nn.ReLU(), nn.Linear(32, 3))
        self.cabeca_periodo = nn.Sequential(nn.Linear(oculto, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, serie):
        _, h = self.tronco(serie)
        resumo = h[-1].data
        return self.cabeca_tipo(resumo), self.cabeca_periodo(resumo).squeeze(-1)


dados = TensorDataset(*gerar_series(1800))
treino, teste = random_split(dados, [1500, 300])
carregador_treino = DataLoader(treino, batch_size=50, shuffle=True)
carregador_teste = DataLoader(teste, batch_size=300)

rede = RedeMultitarefa()
otimizador = torch.optim.Adam(rede.parameters(), lr=5e-3)
perda_tipo = nn.CrossEntropyLoss()
perda_periodo = nn.MSELoss()


def avaliar():
    rede.eval()
    certos, erro, n = 0, 0.0, 0
    with torch.no_grad():
        for serie, tipo, periodo in carregador_teste:
            logits, estimativa = rede(serie)
            certos += (logits.argmax(1) == tipo).sum().item()
            erro += (estimativa - periodo).abs().sum().item()
            n += len(tipo)
    return certos / n, erro / n


for epoca in range(1, 13):
    rede.train()
    soma = 0.0
    for serie, tipo, periodo in carregador_treino:
        logits, estimativa = rede(serie)
        perda = perda_tipo(logits, tipo) + perda_periodo(estimativa, periodo)
        otimizador.zero_grad()
        perda.backward()
        nn.utils.clip_grad_norm_(rede.parameters(), 1.0)
        otimizador.step()
        soma += perda.item()
    if epoca % 3 == 0:
        print(f"época {epoca:2d}  perda média {soma / len(carregador_treino):.4f}")

acerto, mae = avaliar()
print(f"tipo de onda: acerto {acerto:.3f}")
print(f"período (padronizado): erro absoluto médio {mae:.3f}")
