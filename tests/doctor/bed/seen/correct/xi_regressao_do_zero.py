# expect: nothing
# Aula 3: regressão linear e logística "na mão" (só tensores e autograd)
import torch
from sklearn.datasets import load_diabetes, load_wine

gerador = torch.Generator().manual_seed(0)


def separar(X, y, fracao=0.8):
    ordem = torch.randperm(len(X), generator=gerador)
    k = int(fracao * len(X))
    return X[ordem[:k]], y[ordem[:k]], X[ordem[k:]], y[ordem[k:]]


def lotes(X, y, tamanho):
    for idx in torch.randperm(len(X), generator=gerador).split(tamanho):
        yield X[idx], y[idx]


def sgd(parametros, taxa):
    with torch.no_grad():
        for p in parametros:
            p -= taxa * p.grad
            p.grad.zero_()


# --- parte 1: regressão linear -------------------------------------------
bruto = load_diabetes(scaled=False)
X = torch.tensor(bruto.data, dtype=torch.float32)
y = torch.tensor(bruto.target, dtype=torch.float32)
Xa, ya, Xt, yt = separar(X, y)
mu, dp = Xa.mean(0), Xa.std(0)
my, sy = ya.mean(), ya.std()
Xa, Xt = (Xa - mu) / dp, (Xt - mu) / dp
za = (ya - my) / sy

w = torch.normal(0, 0.01, (X.shape[1],), generator=gerador).requires_grad_()
b = torch.zeros((), requires_grad=True)
for epoca in range(60):
    soma = 0.0
    for xb, zb in lotes(Xa, za, 32):
        perda = ((xb @ w + b - zb) ** 2).mean()
        perda.backward()
        sgd([w, b], 0.03)
        soma += perda.item() * len(xb)
    if epoca % 15 == 14:
        print(f"[linear]    época {epoca + 1}: mse {soma / len(Xa):.4f}")

with torch.no_grad():
    pred = (Xt @ w + b) * sy + my
    r2 = 1 - ((pred - yt) ** 2).sum() / ((yt - yt.mean()) ** 2).sum()
print(f"[linear]    R2 no teste: {r2.item():.3f}")

# --- parte 2: softmax com três classes -------------------------------------
bruto = load_wine()
X = torch.tensor(bruto.data, dtype=torch.float32)
y = torch.tensor(bruto.target)
Xa, ya, Xt, yt = separar(X, y, 0.7)
mu, dp = Xa.mean(0), Xa.std(0)
Xa, Xt = (Xa - mu) / dp, (Xt - mu) / dp

W = torch.normal(0, 0.01, (X.shape[1], 3), generator=gerador).requires_grad_()
c = torch.zeros(3, requires_grad=True)
for epoca in range(40):
    soma = 0.0
    for xb, yb in lotes(Xa, ya, 16):
        logp = torch.log_softmax(xb @ W + c, dim=1)
        perda = -logp[torch.arange(len(yb)), yb].mean()
        perda.backward()
        sgd([W, c], 0.1)
        soma += perda.item() * len(xb)
    if epoca % 10 == 9:
        print(f"[softmax]   época {epoca + 1}: entropia {soma / len(Xa):.4f}")

with torch.no_grad():
    acerto = ((Xt @ W + c).argmax(1) == yt).float().mean().item()
print(f"[softmax]   acerto no teste: {acerto:.3f}")
