# expect: params_not_in_optimizer @ 70
# allowed: params_not_in_optimizer @ 72
# allowed: params_not_in_optimizer @ 74
# Transferência: pré-treino nos dígitos 0-4, depois nova cabeça para 5-9
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)


class Rede(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.base = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
        )
        self.cabeca = nn.Linear(16 * 4 * 4, n_classes)

    def forward(self, x):
        return self.cabeca(self.base(x))


def carregadores(classes, X, y):
    mask = (y >= classes[0]) & (y <= classes[-1])
    xs, ys = X[mask], y[mask] - classes[0]
    xtr, xte, ytr, yte = train_test_split(xs, ys, test_size=0.3, stratify=ys, random_state=1)
    fazer = lambda a, b: TensorDataset(torch.tensor(a).float().view(-1, 1, 8, 8), torch.tensor(b))
    return (DataLoader(fazer(xtr, ytr), batch_size=32, shuffle=True),
            DataLoader(fazer(xte, yte), batch_size=256))


def treinar(rede, otimizador, treino, epocas):
    custo = nn.CrossEntropyLoss()
    for ep in range(epocas):
        rede.train()
        soma = 0.0
        for x, alvo in treino:
            otimizador.zero_grad()
            perda = custo(rede(x), alvo)
            perda.backward()
            otimizador.step()
            soma += perda.item() * len(alvo)
        print(f"  época {ep + 1}: perda {soma / len(treino.dataset):.4f}")


def acuracia(rede, teste):
    rede.eval()
    certos = 0
    with torch.no_grad():
        for x, alvo in teste:
            certos += (rede(x).argmax(1) == alvo).sum().item()
    return certos / len(teste.dataset)


X, y = load_digits(return_X_y=True)
X = X / 16.0

print("pré-treino (0-4)")
rede = Rede(5)
treino_a, teste_a = carregadores(range(0, 5), X, y)
treinar(rede, torch.optim.Adam(rede.parameters(), lr=2e-3), treino_a, 5)
print(f"acurácia no teste 0-4: {acuracia(rede, teste_a):.3f}")

print("ajuste fino (5-9)")
treino_b, teste_b = carregadores(range(5, 10), X, y)
otimizador = torch.optim.Adam([
    {"params": rede.base.parameters(), "lr": 1e-4},
    {"params": rede.cabeca.parameters(), "lr": 5e-3},
])
rede.cabeca = nn.Linear(16 * 4 * 4, 5)
treinar(rede, otimizador, treino_b, 8)
print(f"acurácia no teste 5-9: {acuracia(rede, teste_b):.3f}")
