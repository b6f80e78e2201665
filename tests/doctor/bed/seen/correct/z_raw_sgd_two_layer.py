# expect: nothing
"""A two-layer net out of raw tensors, momentum by hand, gradients through autograd.grad."""

import torch
from sklearn.datasets import load_iris

torch.manual_seed(10)
X, y = load_iris(return_X_y=True)
perm = torch.randperm(150)
X, y = torch.tensor(X, dtype=torch.float32)[perm], torch.tensor(y)[perm]
X = (X - X[:120].mean(0)) / X[:120].std(0)
params = {
    "W1": torch.randn(4, 16) * 0.5,
    "b1": torch.zeros(16),
    "W2": torch.randn(16, 3) * 0.25,
    "b2": torch.zeros(3),
}
for p in params.values():
    p.requires_grad_()
velocity = {k: torch.zeros_like(p) for k, p in params.items()}


def logits(x):
    h = torch.relu(x @ params["W1"] + params["b1"])
    return h @ params["W2"] + params["b2"]


def cross_entropy(z, t):
    return (z.logsumexp(1) - z.gather(1, t[:, None])[:, 0]).mean()


for epoch in range(20):
    for rows in torch.randperm(120).split(24):
        loss = cross_entropy(logits(X[rows]), y[rows])
        grads = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for (k, p), g in zip(params.items(), grads, strict=False):
                velocity[k].mul_(0.9).add_(g)
                p -= 0.05 * velocity[k]
    if epoch % 5 == 4:
        with torch.no_grad():
            print(epoch + 1, loss.item(), (logits(X[120:]).argmax(1) == y[120:]).float().mean().item())
