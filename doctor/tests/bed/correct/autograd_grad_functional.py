# expect: nothing
# looks suspicious: neither backward nor .grad is ever used; torch.autograd.grad hands the gradients over.
import itertools

import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons

torch.manual_seed(2)
X, y = make_moons(400, noise=0.15, random_state=2)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X[:300].mean(0)) / X[:300].std(0)
y = torch.tensor(y)


def init(sizes):
    return [(torch.randn(o, i) * (2 / i) ** 0.5, torch.zeros(o)) for i, o in itertools.pairwise(sizes)]


def forward(params, x):
    *hidden, (w, b) = params
    for wi, bi in hidden:
        x = F.relu(F.linear(x, wi, bi))
    return F.linear(x, w, b)


params = init([2, 32, 32, 2])
for it in range(200):
    params = [tuple(t.requires_grad_() for t in pair) for pair in params]
    rows = torch.randint(300, (64,))
    loss = F.cross_entropy(forward(params, X[rows]), y[rows])
    flat = [t for pair in params for t in pair]
    grads = iter(torch.autograd.grad(loss, flat))
    params = [tuple((t - 0.2 * next(grads)).detach() for t in pair) for pair in params]
    if it % 50 == 0:
        print(it, f"{loss.item():.4f}")

print("test accuracy", (forward(params, X[300:]).argmax(1) == y[300:]).float().mean().item())
