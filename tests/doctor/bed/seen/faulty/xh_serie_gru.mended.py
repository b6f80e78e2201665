# expect: nothing
"""Previsão do próximo valor de uma série sazonal com GRU."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(1)
rng = np.random.default_rng(1)

JANELA = 12
t = np.arange(1500)
serie = (np.sin(2 * np.pi * t / 24) + 0.6 * np.sin(2 * np.pi * t / 7)
         + 0.1 * rng.standard_normal(len(t))).astype(np.float32)
serie = 20 + 5 * serie

corte = 1200
media, desvio = serie[:corte].mean(), serie[:corte].std()


class Janelas(Dataset):
    def __init__(self, valores):
        self.v = torch.from_numpy((valores - media) / desvio)

    def __len__(self):
        return len(self.v) - JANELA

    def __getitem__(self, i):
        return self.v[i:i + JANELA].unsqueeze(-1), self.v[i + JANELA]


class Previsor(nn.Module):
    def __init__(self, oculto=24):
        super().__init__()
        self.gru = nn.GRU(1, oculto, batch_first=True)
        self.cabeca = nn.Linear(oculto, 1)

    def forward(self, x):
        saida, _ = self.gru(x)
        return self.cabeca(saida[:, -1]).squeeze(-1)


dl_treino = DataLoader(Janelas(serie[:corte]), batch_size=32, shuffle=True)
dl_teste = DataLoader(Janelas(serie[corte:]), batch_size=128)

modelo = Previsor()
otim = torch.optim.SGD(modelo.parameters(), lr=0.1, momentum=0.9)
custo = nn.MSELoss()


def epoca_treino():
    modelo.train()
    acumulado = 0.0
    for x, y in dl_treino:
        otim.zero_grad()
        perda = custo(modelo(x), y)
        perda.backward()
        nn.utils.clip_grad_norm_(modelo.parameters(), max_norm=1.0)
        otim.step()
        acumulado += perda.item() * len(y)
    return acumulado / len(dl_treino.dataset)


def rmse_teste():
    modelo.eval()
    erros = []
    with torch.no_grad():
        for x, y in dl_teste:
            erros.append((modelo(x) - y) ** 2)
    return torch.cat(erros).mean().sqrt().item() * desvio


for e in range(1, 16):
    perda = epoca_treino()
    if e % 3 == 0:
        print(f"época {e:2d}: EQM treino {perda:.4f}")
print(f"RMSE no teste: {rmse_teste():.3f}  (desvio da série: {desvio:.3f})")
