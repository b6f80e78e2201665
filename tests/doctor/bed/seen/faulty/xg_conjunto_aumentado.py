# expect: augment_on_test @ 78
# allowed: augment_on_test @ 73
# allowed: augment_on_test @ 104
# allowed: augment_on_test @ 72
# Classificação de dígitos com aumento de dados (deslocamento, apagamento, ruído)
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader, Subset
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

SEMENTE = 21
np.random.seed(SEMENTE)
torch.manual_seed(SEMENTE)


class Deslocar:
    def __init__(self, maximo=1):
        self.maximo = maximo

    def __call__(self, img):
        dy, dx = torch.randint(-self.maximo, self.maximo + 1, (2,)).tolist()
        return torch.roll(img, shifts=(dy, dx), dims=(1, 2))


class ApagarQuadrado:
    def __init__(self, lado=3, p=0.5):
        self.lado, self.p = lado, p

    def __call__(self, img):
        if torch.rand(1).item() < self.p:
            y, x = torch.randint(1, 8 - self.lado, (2,)).tolist()
            img = img.clone()
            img[:, y:y + self.lado, x:x + self.lado] = 0
        return img


class Ruido:
    def __init__(self, s=0.1):
        self.s = s

    def __call__(self, img):
        return img + self.s * torch.randn_like(img)


def compor(*passos):
    def aplicar(img):
        for passo in passos:
            img = passo(img)
        return img
    return aplicar


class Digitos(Dataset):
    def __init__(self, transformacao=None):
        bruto = load_digits()
        self.x = torch.tensor(bruto.images, dtype=torch.float32).unsqueeze(1) / 16
        self.y = torch.tensor(bruto.target)
        self.transformacao = transformacao

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        img = self.x[i]
        if self.transformacao is not None:
            img = self.transformacao(img)
        return img, self.y[i]


aumento = compor(Deslocar(), ApagarQuadrado(), Ruido())
base = Digitos(aumento)
divisor = StratifiedShuffleSplit(1, test_size=0.3, random_state=SEMENTE)
ind_treino, ind_teste = next(divisor.split(np.zeros(len(base)), base.y.numpy()))

treino = DataLoader(Subset(base, ind_treino), batch_size=64, shuffle=True)
teste = DataLoader(Subset(base, ind_teste), batch_size=256, shuffle=False)

rede = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(32 * 16, 10),
)
otimizador = torch.optim.Adam(rede.parameters(), lr=2e-3)
criterio = nn.CrossEntropyLoss()

for epoca in range(9):
    rede.train()
    perda_total = 0.0
    for img, rot in treino:
        otimizador.zero_grad()
        perda = criterio(rede(img), rot)
        perda.backward()
        otimizador.step()
        perda_total += perda.item() * len(rot)
    if epoca % 3 == 2:
        print(f"época {epoca + 1}: perda de treino {perda_total / len(ind_treino):.4f}")

rede.eval()
certos = 0
with torch.no_grad():
    for img, rot in teste:
        certos += (rede(img).argmax(1) == rot).sum().item()
print(f"acurácia no teste: {certos / len(ind_teste):.4f}")
