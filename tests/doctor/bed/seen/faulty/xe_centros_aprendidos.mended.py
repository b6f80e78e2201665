# expect: nothing
"""Perda de centros (center loss) com dois otimizadores: rede e centros."""
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

torch.manual_seed(8)


class Rede(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))
        self.cabeca = nn.Linear(dim, 10)

    def forward(self, x):
        z = self.f(x)
        return z, self.cabeca(z)


class Centros(nn.Module):
    """um ponto por classe; a distância ao centro entra na perda"""

    def __init__(self, classes, dim):
        super().__init__()
        self.pontos = nn.Parameter(torch.randn(classes, dim) * 0.3)

    def forward(self, z, y):
        return (z - self.pontos[y]).pow(2).sum(1).mean()

    def mais_perto(self, z):
        return torch.cdist(z, self.pontos).argmin(1)


class Treinador:
    def __init__(self, rede, centros, peso=0.05):
        self.rede, self.centros, self.peso = rede, centros, peso
        self.opt_rede = torch.optim.Adam(rede.parameters(), lr=4e-3)
        self.opt_centros = torch.optim.SGD(centros.parameters(), lr=2.0)

    def lote(self, x, y):
        z, logits = self.rede(x)
        ce = F.cross_entropy(logits, y)
        dist = self.centros(z, y)
        self.opt_rede.zero_grad()
        self.opt_centros.zero_grad()
        (ce + self.peso * dist).backward()
        self.opt_rede.step()
        self.opt_centros.step()
        return ce.item(), dist.item()

    def epoca(self, x, y, tamanho=64):
        self.rede.train()
        a = b = n = 0
        for idx in torch.randperm(len(x)).split(tamanho):
            ce, dist = self.lote(x[idx], y[idx])
            a, b, n = a + ce, b + dist, n + 1
        return a / n, b / n


def avaliar(rede, centros, x, y):
    rede.eval()
    with torch.no_grad():
        z, logits = rede(x)
        cabeca = (logits.argmax(1) == y).float().mean().item()
        centro = (centros.mais_perto(z) == y).float().mean().item()
        aberto = torch.cdist(centros.pontos, centros.pontos)
        aberto = aberto[~torch.eye(10, dtype=torch.bool)].min().item()
    return cabeca, centro, aberto


X, y = load_digits(return_X_y=True)
treino, teste = next(StratifiedShuffleSplit(1, test_size=0.3, random_state=0).split(X, y))
X = torch.tensor(X / 16.0, dtype=torch.float32)
y = torch.tensor(y)

rede, centros = Rede(), Centros(10, 8)
t = Treinador(rede, centros)
antes = centros.pontos.detach().clone()
for ep in range(20):
    ce, dist = t.epoca(X[treino], y[treino])
    if ep % 5 == 4:
        print(f"época {ep + 1}: ce {ce:.4f}  distância {dist:.4f}")

cabeca, centro, aberto = avaliar(rede, centros, X[teste], y[teste])
print(f"deslocamento dos centros: {(centros.pontos.detach() - antes).norm().item():.3f}")
print(f"menor distância entre centros: {aberto:.3f}")
print(f"teste: cabeça {cabeca:.3f}, centro mais perto {centro:.3f}")
