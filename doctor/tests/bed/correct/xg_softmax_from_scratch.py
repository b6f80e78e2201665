# expect: nothing
# Softmax-Regression von Grund auf: nur Tensoren, ohne nn.Module
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
merkmale, klassen = load_wine(return_X_y=True)
x_tr, x_te, y_tr, y_te = train_test_split(merkmale, klassen, test_size=0.3, random_state=0, stratify=klassen)
x_tr, x_te = (torch.tensor(a, dtype=torch.float32) for a in (x_tr, x_te))
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
mittel, streuung = x_tr.mean(0), x_tr.std(0)
x_tr, x_te = (x_tr - mittel) / streuung, (x_te - mittel) / streuung

W = torch.normal(0, 0.01, (13, 3), requires_grad=True)
b = torch.zeros(3, requires_grad=True)


def log_softmax(o):
    return o - torch.logsumexp(o, dim=1, keepdim=True)


def netz(X):
    return log_softmax(X @ W + b)


def kreuzentropie(log_p, y):
    return -log_p[torch.arange(len(y)), y].mean()


def sgd(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
            p.grad.zero_()


def genauigkeit(X, y):
    with torch.no_grad():
        return (netz(X).argmax(dim=1) == y).float().mean().item()


for epoche in range(1, 41):
    summe = 0.0
    for idx in torch.randperm(len(x_tr)).split(15):
        verlust = kreuzentropie(netz(x_tr[idx]), y_tr[idx])
        verlust.backward()
        sgd([W, b], lr=0.1)
        summe += verlust.item() * len(idx)
    if epoche % 10 == 0:
        print(f"Epoche {epoche}: Verlust {summe / len(x_tr):.4f}")
print(f"Training {genauigkeit(x_tr, y_tr):.3f}  Test {genauigkeit(x_te, y_te):.3f}")
