# expect: duplicate_leakage @ 39
# allowed: duplicate_leakage @ 40
# Gestos gravados com acelerômetro: GRU + aumento de dados por jitter
import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

SEMENTE = 13
torch.manual_seed(SEMENTE)
rng = np.random.default_rng(SEMENTE)

CLASSES, PASSOS, EIXOS = 4, 20, 3
prototipos = rng.normal(size=(CLASSES, PASSOS, EIXOS))
prototipos = np.cumsum(prototipos, axis=1)
prototipos = (prototipos - prototipos.mean(axis=1, keepdims=True)) / prototipos.std(axis=1, keepdims=True)


def grava(n):
    y = np.arange(n) % CLASSES
    pessoa = rng.normal(size=(n, PASSOS, EIXOS)).cumsum(axis=1)
    pessoa = (pessoa - pessoa.mean(axis=1, keepdims=True)) / pessoa.std(axis=1, keepdims=True)
    ruido = rng.normal(0, 0.4, size=(n, PASSOS, EIXOS))
    return 0.5 * prototipos[y] + pessoa + ruido, y


def aumenta(X, y, copias=3):
    """Jitter e pequena escala sobre cada gravação."""
    Xs, ys = [X], [y]
    for _ in range(copias):
        escala = rng.normal(1.0, 0.03, size=(len(X), 1, 1))
        Xs.append(X * escala + rng.normal(0, 0.05, size=X.shape))
        ys.append(y)
    return np.concatenate(Xs), np.concatenate(ys)


X, y = grava(320)
X, y = aumenta(X, y)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEMENTE)

media, desvio = X_tr.mean(axis=(0, 1)), X_tr.std(axis=(0, 1))


def tensores(a, b):
    return torch.tensor((a - media) / desvio, dtype=torch.float32), torch.tensor(b)


treino = TensorDataset(*tensores(X_tr, y_tr))
teste = TensorDataset(*tensores(X_te, y_te))
carrega_treino = DataLoader(treino, batch_size=40, shuffle=True)
carrega_teste = DataLoader(teste, batch_size=128)


class Gestos(nn.Module):
    def __init__(self, oculto=32):
        super().__init__()
        self.gru = nn.GRU(EIXOS, oculto, batch_first=True, bidirectional=True)
        self.fora = nn.Linear(2 * oculto, CLASSES)

    def forward(self, x):
        saida, _ = self.gru(x)
        return self.fora(saida.mean(dim=1))


modelo = Gestos()
otim = torch.optim.Adam(modelo.parameters(), lr=4e-3)
perda_fn = nn.CrossEntropyLoss()

for epoca in range(10):
    modelo.train()
    total = 0.0
    for xb, yb in carrega_treino:
        otim.zero_grad()
        perda = perda_fn(modelo(xb), yb)
        perda.backward()
        otim.step()
        total += perda.item() * len(yb)
    print(f"época {epoca + 1:2d}  perda {total / len(treino):.4f}")

modelo.eval()
certos = 0
with torch.no_grad():
    for xb, yb in carrega_teste:
        certos += (modelo(xb).argmax(dim=1) == yb).sum().item()
print(f"acurácia de teste: {certos / len(teste):.3f}  ({len(teste)} gravações)")
