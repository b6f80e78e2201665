# expect: softmax_before_cross_entropy @ 61
# allowed: softmax_before_cross_entropy @ 55
# allowed: softmax_before_cross_entropy @ 81
# allowed: softmax_before_cross_entropy @ 89
"""Segmentação de discos em imagens sintéticas com uma mini U-Net."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
rng = np.random.default_rng(7)
N_CLASSES = 3  # fundo, disco, quadrado
TAM = 24


def gera_imagem():
    img = rng.normal(0.0, 0.35, (TAM, TAM)).astype("float32")
    masc = np.zeros((TAM, TAM), dtype="int64")
    yy, xx = np.mgrid[:TAM, :TAM]
    cy, cx = rng.integers(6, TAM - 6, 2)
    r = rng.integers(5, 8)
    disco = (yy - cy) ** 2 + (xx - cx) ** 2 <= r * r
    img[disco] += 1.0
    masc[disco] = 1
    y0, x0 = rng.integers(0, TAM - 12, 2)
    lado = rng.integers(8, 13)
    img[y0:y0 + lado, x0:x0 + lado] -= 1.0
    masc[y0:y0 + lado, x0:x0 + lado] = 2
    return img, masc


def gera_conjunto(n):
    pares = [gera_imagem() for _ in range(n)]
    x = torch.from_numpy(np.stack([p[0] for p in pares])).unsqueeze(1)
    y = torch.from_numpy(np.stack([p[1] for p in pares]))
    return TensorDataset(x, y)


class Bloco(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(
            nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class MiniUNet(nn.Module):
    def __init__(self, largura=12):
        super().__init__()
        self.desce = Bloco(1, largura)
        self.fundo = Bloco(largura, largura * 2)
        self.pool = nn.MaxPool2d(2)
        self.sobe = nn.Upsample(scale_factor=2, mode="nearest")
        self.junta = Bloco(largura * 3, largura)
        self.saida = nn.Conv2d(largura, N_CLASSES, 1)
        self.ativacao = nn.Softmax(dim=1)

    def forward(self, x):
        a = self.desce(x)
        b = self.fundo(self.pool(a))
        c = self.junta(torch.cat([a, self.sobe(b)], dim=1))
        return self.ativacao(self.saida(c))


def avalia(rede, carga):
    rede.eval()
    inter = torch.zeros(N_CLASSES)
    uniao = torch.zeros(N_CLASSES)
    with torch.no_grad():
        for x, y in carga:
            pred = rede(x).argmax(dim=1)
            for k in range(N_CLASSES):
                inter[k] += ((pred == k) & (y == k)).sum()
                uniao[k] += ((pred == k) | (y == k)).sum()
    return (inter / uniao).mean().item()


treino = DataLoader(gera_conjunto(160), batch_size=16, shuffle=True)
teste = DataLoader(gera_conjunto(60), batch_size=30)

rede = MiniUNet()
criterio = nn.CrossEntropyLoss()
otim = torch.optim.SGD(rede.parameters(), lr=0.03, momentum=0.9)

for epoca in range(8):
    rede.train()
    soma = 0.0
    for x, y in treino:
        otim.zero_grad()
        perda = criterio(rede(x), y)
        perda.backward()
        otim.step()
        soma += perda.item() * len(x)
    print(f"época {epoca + 1}: perda {soma / len(treino.dataset):.4f}")

print(f"mIoU no teste: {avalia(rede, teste):.3f}")
