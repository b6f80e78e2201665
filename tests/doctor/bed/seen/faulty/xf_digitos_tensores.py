# expect: missing_eval @ 57
# allowed: missing_eval @ 35
"""Reconhecimento de dígitos 8x8 com uma rede escrita à mão (só tensores)."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)
CAMADAS = [64, 96, 64, 10]
TAXA = 0.15
EPOCAS = 30
LOTE = 64


def carregar():
    X, y = load_digits(return_X_y=True)
    X = X / 16.0
    Xa, Xr, ya, yr = train_test_split(X, y, test_size=0.4, stratify=y, random_state=3)
    Xv, Xt, yv, yt = train_test_split(Xr, yr, test_size=0.5, stratify=yr, random_state=3)
    tx = lambda m: torch.tensor(m, dtype=torch.float32)
    ty = lambda v: torch.tensor(v, dtype=torch.long)
    return (tx(Xa), ty(ya)), (tx(Xv), ty(yv)), (tx(Xt), ty(yt))


def criar_pesos(camadas):
    pesos = []
    for n_in, n_out in zip(camadas[:-1], camadas[1:]):
        w = torch.randn(n_in, n_out) * (2.0 / n_in) ** 0.5
        b = torch.zeros(n_out)
        pesos.append((w.requires_grad_(), b.requires_grad_()))
    return pesos


def rede(pesos, x, p=0.5, treino=True):
    h = x
    for w, b in pesos[:-1]:
        h = F.relu(h @ w + b)
        h = F.dropout(h, p, training=treino)
    w, b = pesos[-1]
    return h @ w + b


def passo(pesos, xb, yb, taxa):
    perda = F.cross_entropy(rede(pesos, xb), yb)
    planos = [t for par in pesos for t in par]
    grads = torch.autograd.grad(perda, planos)
    with torch.no_grad():
        for t, g in zip(planos, grads):
            t -= taxa * g
    return perda.item()


@torch.no_grad()
def acerto(pesos, dados):
    x, y = dados
    saida = rede(pesos, x)
    return (saida.argmax(1) == y).float().mean().item()


def principal():
    treino, valid, teste = carregar()
    pesos = criar_pesos(CAMADAS)
    n = len(treino[1])
    for ep in range(1, EPOCAS + 1):
        ordem = torch.randperm(n)
        soma = 0.0
        for ini in range(0, n, LOTE):
            i = ordem[ini:ini + LOTE]
            soma += passo(pesos, treino[0][i], treino[1][i], TAXA) * len(i)
        if ep % 5 == 0:
            print(f"época {ep:2d}  perda {soma / n:.3f}  validação {acerto(pesos, valid):.3f}")
    print(f"acerto no teste: {acerto(pesos, teste):.3f}")


if __name__ == "__main__":
    principal()
