# expect: nothing
# Segmentação de três regiões (fundo, círculo, barra) com perda de Dice.
import numpy as np
import torch
from torch import nn

torch.manual_seed(21)
rng = np.random.default_rng(21)
LADO, CLASSES = 20, 3


def gerar(n):
    yy, xx = np.mgrid[:LADO, :LADO]
    imagens = rng.normal(0, 0.15, (n, LADO, LADO))
    rotulos = np.zeros((n, LADO, LADO), dtype=np.int64)
    for i in range(n):
        meio = rng.integers(9, 12)
        cy, cx = rng.uniform(6, LADO - 6), rng.uniform(4, 6)
        disco = (yy - cy) ** 2 + (xx - cx) ** 2 < rng.uniform(4, 6) ** 2
        disco &= xx < meio
        topo = rng.integers(0, 7)
        barra = (xx >= meio + 1) & (xx < meio + 7) & (yy >= topo) & (yy < topo + 12)
        rotulos[i][disco] = 1
        rotulos[i][barra] = 2
        imagens[i][disco] += 0.6
        imagens[i][barra] += 1.1
    return torch.tensor(imagens, dtype=torch.float32).unsqueeze(1), torch.tensor(rotulos)


class RedeSeg(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.camadas = nn.Sequential(
            nn.Conv2d(1, c, 3, padding=1), nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=1), nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=2, dilation=2), nn.ReLU(),
            nn.Conv2d(c, CLASSES, 1),
        )

    def forward(self, x):
        return self.camadas(x)


class PerdaDice(nn.Module):
    def __init__(self, suave=1.0):
        super().__init__()
        self.suave = suave

    def forward(self, saida, alvo):
        p = torch.softmax(saida, dim=1)
        t = nn.functional.one_hot(alvo, CLASSES).permute(0, 3, 1, 2).to(p.dtype)
        comum = (p * t).sum(dim=(0, 2, 3))
        total = p.sum(dim=(0, 2, 3)) + t.sum(dim=(0, 2, 3))
        return 1 - ((2 * comum + self.suave) / (total + self.suave)).mean()


def iou_medio(rede, x, t):
    rede.eval()
    with torch.no_grad():
        prev = rede(x).argmax(1)
    valores = []
    for c in range(CLASSES):
        a, b = prev == c, t == c
        valores.append(((a & b).sum() / (a | b).sum().clamp(min=1)).item())
    return valores


x_treino, t_treino = gerar(160)
x_teste, t_teste = gerar(60)

rede = RedeSeg()
perda = PerdaDice()
otimizador = torch.optim.Adam(rede.parameters(), lr=5e-3)

for epoca in range(15):
    rede.train()
    acumulado, lotes = 0.0, 0
    for idx in torch.randperm(len(x_treino)).split(20):
        otimizador.zero_grad()
        valor = perda(rede(x_treino[idx]), t_treino[idx])
        valor.backward()
        otimizador.step()
        acumulado += valor.item()
        lotes += 1
    if epoca % 5 == 4:
        print(f"época {epoca + 1:2d}: dice {acumulado / lotes:.4f}")

por_classe = iou_medio(rede, x_teste, t_teste)
print("IoU por classe:", " ".join(f"{v:.3f}" for v in por_classe))
print(f"IoU médio no teste: {sum(por_classe) / CLASSES:.3f}")
