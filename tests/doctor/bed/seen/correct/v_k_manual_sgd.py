# expect: nothing
"""Course notebook from scratch: softmax regression on digits with raw tensors and hand-made SGD."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(7)
X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y), test_size=0.25, random_state=7, stratify=y)

W = torch.zeros(64, 10, requires_grad=True)
b = torch.zeros(10, requires_grad=True)


def log_softmax(z):
    return z - z.exp().sum(-1, keepdim=True).log()


def model(x):
    return log_softmax(x @ W + b)


def nll(logp, target):
    return -logp[torch.arange(len(target)), target].mean()


lr = 0.5
for epoch in range(20):
    total = 0.0
    for idx in torch.randperm(len(Xa)).split(64):
        loss = nll(model(Xa[idx]), ya[idx])
        loss.backward()
        with torch.no_grad():
            for p in (W, b):
                p -= lr * p.grad
                p.grad.zero_()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {total / len(Xa):.4f}")

with torch.no_grad():
    print("accuracy", (model(Xb).argmax(1) == yb).float().mean().item())
