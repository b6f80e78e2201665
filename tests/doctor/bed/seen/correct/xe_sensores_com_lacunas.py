# expect: nothing
# Falhas de máquinas a partir de sensores com lacunas: a própria camada de entrada troca
# cada valor ausente por um número aprendido e diz à rede onde havia lacuna.
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

torch.manual_seed(19)
gerador = np.random.default_rng(19)

n = 2400
base = gerador.normal(size=(n, 6))
nota = 1.6 * base[:, 0] - 1.2 * base[:, 1] * (base[:, 2] > 0) + base[:, 3] + gerador.normal(0, 0.5, n)
leituras = pd.DataFrame(base * [12, 3, 0.4, 70, 5, 1] + [60, 9, 1.1, 300, 20, 0],
                        columns=["temp", "vib", "corr", "rpm", "ruido", "nivel"])
falha = (nota > np.median(nota)).astype(np.float32)
leituras = leituras.mask(gerador.random(leituras.shape) < 0.12)


class Maquinas(Dataset):
    def __init__(self, tabela, rotulo):
        self.valores = torch.tensor(tabela.to_numpy(), dtype=torch.float32)
        self.rotulo = torch.tensor(rotulo)

    def __len__(self):
        return len(self.rotulo)

    def __getitem__(self, i):
        v = self.valores[i]
        falta = torch.isnan(v)
        return torch.where(falta, torch.zeros(()), v), falta.float(), self.rotulo[i]


class Entrada(nn.Module):
    """Padroniza com as estatísticas do treino e preenche as lacunas."""

    def __init__(self, media, desvio):
        super().__init__()
        self.register_buffer("media", media)
        self.register_buffer("desvio", desvio)
        self.no_lugar = nn.Parameter(torch.zeros(len(media)))

    def forward(self, v, falta):
        z = (v - self.media) / self.desvio
        z = torch.lerp(z, self.no_lugar.expand_as(z), falta)
        return torch.cat([z, falta], dim=1)


class Rede(nn.Module):
    def __init__(self, entrada, colunas):
        super().__init__()
        self.entrada = entrada
        self.corpo = nn.Sequential(nn.Linear(2 * colunas, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, v, falta):
        return self.corpo(self.entrada(v, falta)).squeeze(-1)


dados = Maquinas(leituras, falha)
treino, teste = random_split(dados, [0.75, 0.25], generator=torch.Generator().manual_seed(19))
do_treino = leituras.iloc[treino.indices]
media = torch.tensor(do_treino.mean().to_numpy(), dtype=torch.float32)
desvio = torch.tensor(do_treino.std().to_numpy(), dtype=torch.float32)

rede = Rede(Entrada(media, desvio), leituras.shape[1])
otim = torch.optim.Adam(rede.parameters(), lr=4e-3)
perda_fn = nn.BCEWithLogitsLoss()

for epoca in range(1, 16):
    rede.train()
    soma = 0.0
    for v, falta, r in DataLoader(treino, batch_size=60, shuffle=True):
        otim.zero_grad()
        perda = perda_fn(rede(v, falta), r)
        perda.backward()
        otim.step()
        soma += perda.item() * len(r)
    if epoca % 5 == 0:
        print(f"época {epoca:2d}: perda {soma / len(treino):.4f}")

rede.eval()
certos = 0
with torch.no_grad():
    for v, falta, r in DataLoader(teste, batch_size=300):
        certos += ((rede(v, falta) > 0).float() == r).sum().item()
print(f"lacunas na tabela: {leituras.isna().to_numpy().mean():.1%}")
print(f"acerto no teste: {certos / len(teste):.3f}")
