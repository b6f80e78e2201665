# missed: grad_cleared_before_step @ 57
# allowed: grad_cleared_before_step @ 58
# allowed: grad_cleared_before_step @ 74
# mend: 55 +     optimiser.clear()
# mend: 57 →
# Two-layer network on the 'digits' pictures, everything but autograd by hand.
# Lab 3: write your own optimiser with momentum.
import math
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(1)
pics, names = load_digits(return_X_y=True)
xa, xb, ya, yb = train_test_split(pics, names, test_size=400, random_state=1, stratify=names)
as_input = lambda a: torch.tensor(a / 8.0 - 1.0, dtype=torch.float32)
xa, xb, ya, yb = as_input(xa), as_input(xb), torch.tensor(ya), torch.tensor(yb)


class Momentum:
    """v <- m v + g ;  p <- p - lr v"""

    def __init__(self, tensors, lr, m=0.9):
        self.tensors, self.lr, self.m = tensors, lr, m
        self.v = [torch.zeros_like(p) for p in tensors]

    def clear(self):
        for p in self.tensors:
            if p.grad is not None:
                p.grad.zero_()

    @torch.no_grad()
    def apply(self):
        for p, v in zip(self.tensors, self.v):
            v.mul_(self.m).add_(p.grad)
            p.sub_(v, alpha=self.lr)


def weights(n_in, n_out):
    return (torch.randn(n_in, n_out) * math.sqrt(2.0 / n_in)).requires_grad_()


W1, c1 = weights(64, 48), torch.zeros(48, requires_grad=True)
W2, c2 = weights(48, 10), torch.zeros(10, requires_grad=True)


def net(x):
    return torch.relu(x @ W1 + c1) @ W2 + c2


def cross_entropy(z, y):
    return (torch.logsumexp(z, dim=1) - z.gather(1, y[:, None]).squeeze(1)).mean()


def update(optimiser, loss):
    loss.backward()
    optimiser.clear()
    optimiser.apply()
    return loss.item()


def accuracy(x, y):
    with torch.no_grad():
        return (net(x).max(dim=1).indices == y).double().mean().item()


mom = Momentum([W1, c1, W2, c2], lr=0.02)
n, size = len(xa), 50
for epoch in range(1, 11):
    order = torch.randperm(n)
    running = 0.0
    for k in range(0, n, size):
        pick = order[k:k + size]
        running += update(mom, cross_entropy(net(xa[pick]), ya[pick])) * len(pick)
    if epoch % 2 == 0:
        print(f"epoch {epoch:2d}  cross-entropy {running / n:.4f}")

print(f"accuracy: training {accuracy(xa, ya):.3f}, held out {accuracy(xb, yb):.3f}")
