# expect: unshuffled_sorted @ 61
# allowed: unshuffled_sorted @ 74
# Classificador de texturas lidas de pastas (uma pasta por classe)
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(5)


def gerar_textura(classe, rng, lado=12):
    yy, xx = np.mgrid[:lado, :lado]
    fase = rng.uniform(0, 2 * np.pi)
    freq = rng.uniform(0.9, 1.3)
    if classe == "diagonal":
        base = np.sin(freq * (xx + yy) / 1.4 + fase)
    elif classe == "horizontal":
        base = np.sin(freq * yy + fase)
    elif classe == "vertical":
        base = np.sin(freq * xx + fase)
    else:
        base = np.sin(freq * xx + fase) * np.sin(freq * yy + fase)
    return (base + 0.5 * rng.standard_normal(base.shape)).astype(np.float32)


def gravar(raiz, por_classe, semente):
    rng = np.random.default_rng(semente)
    for classe in ["diagonal", "horizontal", "vertical", "xadrez"]:
        pasta = os.path.join(raiz, classe)
        os.makedirs(pasta)
        for i in range(por_classe):
            np.save(os.path.join(pasta, f"{i:04d}.npy"), gerar_textura(classe, rng))


class PastaDeImagens(Dataset):
    def __init__(self, raiz):
        self.classes = sorted(os.listdir(raiz))
        self.amostras = []
        for rotulo, classe in enumerate(self.classes):
            for arq in sorted(os.listdir(os.path.join(raiz, classe))):
                self.amostras.append((np.load(os.path.join(raiz, classe, arq)), rotulo))

    def __len__(self):
        return len(self.amostras)

    def __getitem__(self, i):
        img, rotulo = self.amostras[i]
        return torch.from_numpy(img).unsqueeze(0), rotulo


with tempfile.TemporaryDirectory() as base:
    gravar(os.path.join(base, "treino"), 200, semente=0)
    gravar(os.path.join(base, "teste"), 60, semente=1)
    treino = PastaDeImagens(os.path.join(base, "treino"))
    teste = PastaDeImagens(os.path.join(base, "teste"))

carga_treino = DataLoader(treino, batch_size=20)
carga_teste = DataLoader(teste, batch_size=80)

rede = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(16 * 9, 4))
otimizador = torch.optim.SGD(rede.parameters(), lr=0.02, momentum=0.9)
criterio = nn.CrossEntropyLoss()

for epoca in range(8):
    rede.train()
    soma = 0.0
    for imagens, rotulos in carga_treino:
        otimizador.zero_grad()
        perda = criterio(rede(imagens), rotulos)
        perda.backward()
        otimizador.step()
        soma += perda.item() * len(rotulos)

    rede.eval()
    certos = 0
    with torch.no_grad():
        for imagens, rotulos in carga_teste:
            certos += (rede(imagens).argmax(1) == rotulos).sum().item()
    print(f"epoca {epoca + 1}: perda {soma / len(treino):.3f}  acuracia teste {certos / len(teste):.3f}")
