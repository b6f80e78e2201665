# expect: missing_zero_grad @ 36
# allowed: missing_zero_grad @ 44
# allowed: missing_zero_grad @ 45
# mend: 36 +             p.grad = None
# Poisson regression of claim counts with raw tensors and a hand-written descent.
import torch

torch.manual_seed(27)
N, D = 800, 6

x = torch.randn(N, D)
beta_true = torch.tensor([0.5, -0.4, 0.3, 0.0, 0.2, -0.1])
rate = torch.exp(0.3 + x @ beta_true + 0.3 * torch.sin(2 * x[:, 3]))
claims = torch.poisson(rate)
x_fit, x_new = x[:600], x[600:]
y_fit, y_new = claims[:600], claims[600:]

W = (torch.randn(D, 8) / D ** 0.5).requires_grad_()
b = torch.zeros(8, requires_grad=True)
v = (torch.randn(8) / 8 ** 0.5).requires_grad_()
c = torch.zeros((), requires_grad=True)
params = (W, b, v, c)


def log_rate(x):
    return torch.tanh(x @ W + b) @ v + c


def poisson_nll(eta, y):
    return (eta.exp() - y * eta).mean()


def descend(lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


def train(epochs, lr, batch):
    for epoch in range(1, epochs + 1):
        total = 0.0
        for idx in torch.randperm(len(x_fit)).split(batch):
            loss = poisson_nll(log_rate(x_fit[idx]), y_fit[idx])
            loss.backward()
            descend(lr)
            total += loss.item() * len(idx)
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}  nll {total / len(x_fit):.4f}")


train(epochs=20, lr=0.05, batch=40)
with torch.no_grad():
    print(f"new rows: nll {poisson_nll(log_rate(x_new), y_new).item():.4f}")
    base = poisson_nll(y_fit.mean().log().expand(len(y_new)), y_new)
    print(f"constant rate: nll {base.item():.4f}")
