# expect: nothing
"""Softmax regression on raw tensors, gradients dropped by setting p.grad to None after the update."""
import numpy as np
import torch
from sklearn.datasets import load_iris

rng = np.random.default_rng(0)
iris = load_iris()
order = rng.permutation(150)
tr, te = order[:110], order[110:]
mu, sd = iris.data[tr].mean(0), iris.data[tr].std(0)
X = torch.tensor((iris.data - mu) / sd, dtype=torch.float32)
Y = torch.tensor(iris.target)

W = torch.zeros(4, 3, requires_grad=True)
b = torch.zeros(3, requires_grad=True)
velocity = [torch.zeros_like(W), torch.zeros_like(b)]


def log_likelihood(idx):
    scores = X[idx] @ W + b
    log_p = scores - scores.logsumexp(dim=1, keepdim=True)
    return log_p[torch.arange(len(idx)), Y[idx]].mean()


for epoch in range(50):
    for part in np.array_split(rng.permutation(tr), 6):
        nll = -log_likelihood(part)
        nll.backward()
        with torch.no_grad():
            for p, v in zip((W, b), velocity):
                v.mul_(0.9).add_(p.grad)
                p.sub_(0.05 * v)
                p.grad = None
with torch.no_grad():
    acc = ((X[te] @ W + b).argmax(1) == Y[te]).float().mean()
    print(f"nll {nll.item():.3f} train ll {log_likelihood(tr).item():.3f} test accuracy {acc:.3f}")
