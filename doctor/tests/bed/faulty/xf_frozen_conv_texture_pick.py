# missed: scaler_leakage @ 50
# mend: 50 →         seletor = SelectKBest(f_classif, k=self.k).fit(self.bruto[self.treino], self.y[self.treino])
"""Transfer com extrator congelado: filtros aleatórios fixos + cabeça treinada.

Texturas com sinal fraco, poucas imagens; guardamos só as respostas mais informativas.
"""
import numpy as np
import torch
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn

SEMENTE = 13
torch.manual_seed(SEMENTE)
gerador = np.random.default_rng(SEMENTE)


def texturas(n, lado=24):
    """Duas classes: ruído com correlação horizontal ligeiramente diferente."""
    y = np.arange(n) % 2
    x = gerador.normal(size=(n, lado, lado + 1))
    mistura = np.where(y == 1, 0.10, 0.0)[:, None, None]
    return (x[:, :, 1:] + mistura * x[:, :, :-1]).astype(np.float32), y


class Extrator(nn.Module):
    """Nunca treinado; devolve um vetor longo por imagem."""

    def __init__(self, canais=96):
        super().__init__()
        self.conv = nn.Conv2d(1, canais, 5, stride=3)
        self.requires_grad_(False)

    def forward(self, x):
        r = self.conv(x)
        return torch.cat([r.flatten(1), r.abs().mean((2, 3))], dim=1)


class Conjunto:
    def __init__(self, x, y, extrator, k=60):
        self.y = y
        with torch.no_grad():
            bruto = extrator(torch.from_numpy(x)[:, None]).numpy()
        self.bruto = bruto
        self.k = k
        divisor = StratifiedShuffleSplit(1, test_size=0.35, random_state=SEMENTE)
        self.treino, self.teste = next(divisor.split(bruto, y))

    def preparar(self):
        seletor = SelectKBest(f_classif, k=self.k).fit(self.bruto, self.y)
        f = seletor.transform(self.bruto)
        mu, dp = f[self.treino].mean(0), f[self.treino].std(0)
        f = torch.from_numpy((f - mu) / dp)
        y = torch.from_numpy(self.y)
        return f[self.treino], y[self.treino], f[self.teste], y[self.teste]


def treinar_cabeca(f, y, epocas=60):
    cabeca = nn.Sequential(nn.Dropout(0.3), nn.Linear(f.shape[1], 2))
    opt = torch.optim.AdamW(cabeca.parameters(), lr=5e-3, weight_decay=0.01)
    for epoca in range(epocas):
        cabeca.train()
        soma = 0.0
        for idx in torch.randperm(len(f)).split(32):
            opt.zero_grad()
            perda = nn.functional.cross_entropy(cabeca(f[idx]), y[idx])
            perda.backward()
            opt.step()
            soma += perda.item() * len(idx)
        if epoca % 15 == 14:
            print(f"época {epoca + 1}: perda {soma / len(f):.4f}")
    return cabeca.eval()


@torch.no_grad()
def exatidao(cabeca, f, y):
    return (cabeca(f).argmax(1) == y).float().mean().item()


x, y = texturas(240)
dados = Conjunto(x, y, Extrator())
f_tr, y_tr, f_te, y_te = dados.preparar()
print("respostas:", dados.bruto.shape[1], "escolhidas:", f_tr.shape[1])
cabeca = treinar_cabeca(f_tr, y_tr)
print(f"treino {exatidao(cabeca, f_tr, y_tr):.3f}   teste {exatidao(cabeca, f_te, y_te):.3f}")
