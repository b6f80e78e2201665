# expect: unshuffled_sorted @ 71
# allowed: unshuffled_sorted @ 79
# Classificador de figuras geradas, organizadas como pastas por classe
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

CLASSES = ["circulo", "cruz", "quadrado", "triangulo", "linha"]
LADO = 14


def desenhar(classe, gerador):
    yy, xx = torch.meshgrid(torch.arange(LADO), torch.arange(LADO), indexing="ij")
    cy, cx = torch.randint(5, LADO - 5, (2,), generator=gerador).tolist()
    dy, dx = yy - cy, xx - cx
    if classe == "circulo":
        m = ((dy ** 2 + dx ** 2).float().sqrt() - 3.5).abs() < 0.7
    elif classe == "cruz":
        m = ((dy == 0) & (dx.abs() < 4)) | ((dx == 0) & (dy.abs() < 4))
    elif classe == "quadrado":
        m = torch.maximum(dy.abs(), dx.abs()) == 3
    elif classe == "triangulo":
        m = (dy >= -3) & (dy <= 3) & ((dx.abs() * 2 - (dy + 3)).abs() <= 1) | (
            (dy == 3) & (dx.abs() <= 3))
    else:
        m = (dy - dx == 0) & (dy.abs() < 5)
    img = m.float() + 0.3 * torch.randn(LADO, LADO, generator=gerador)
    return img.unsqueeze(0)


class PastaDeFiguras(Dataset):
    """Lista os arquivos pasta por pasta."""

    def __init__(self, por_classe, semente):
        g = torch.Generator().manual_seed(semente)
        self.amostras = [(desenhar(nome, g), rotulo)
                         for rotulo, nome in enumerate(CLASSES)
                         for _ in range(por_classe)]

    def __len__(self):
        return len(self.amostras)

    def __getitem__(self, i):
        return self.amostras[i]


class Rede(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc = nn.Linear(24 * 9, len(CLASSES))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(x.flatten(1))


def acuracia(rede, carregador):
    rede.eval()
    certos = 0
    with torch.no_grad():
        for x, y in carregador:
            certos += (rede(x).argmax(1) == y).sum().item()
    return certos / len(carregador.dataset)


torch.manual_seed(0)
treino = DataLoader(PastaDeFiguras(160, semente=1), batch_size=20)
teste = DataLoader(PastaDeFiguras(60, semente=2), batch_size=100)

rede = Rede()
otimizador = torch.optim.Adam(rede.parameters(), lr=2e-3)
for epoca in range(10):
    rede.train()
    soma = 0.0
    for x, y in treino:
        otimizador.zero_grad()
        perda = F.cross_entropy(rede(x), y)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(y)
    print(f"epoca {epoca + 1:2d} | perda {soma / len(treino.dataset):.4f}")
print(f"acuracia no teste: {acuracia(rede, teste):.3f}")
