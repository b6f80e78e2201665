# expect: vanishing_gradient @ 29
# allowed: vanishing_gradient @ 10
# allowed: vanishing_gradient @ 22
# mend: 29 →         x = torch.relu(x @ W + b)
"""Tutorial 3: a deep network from raw tensors only - weights, biases and a loop over the layers."""
import torch
from sklearn.datasets import load_digits

g = torch.Generator().manual_seed(42)
sizes = [64, 48, 48, 48, 48, 48, 48, 10]

digits = load_digits()
X = torch.tensor(digits.data, dtype=torch.float32)
Y = torch.tensor(digits.target)
order = torch.randperm(len(X), generator=g)
train_rows, test_rows = order[:1350], order[1350:]
mean, std = X[train_rows].mean(), X[train_rows].std()
X = (X - mean) / std

params = []
for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
    W = torch.randn(fan_in, fan_out, generator=g) * (2.0 / fan_in) ** 0.5
    b = torch.zeros(fan_out)
    params.append((W.requires_grad_(), b.requires_grad_()))


def forward(x):
    for W, b in params[:-1]:
        x = torch.sigmoid(x @ W + b)
    W, b = params[-1]
    return x @ W + b


def cross_entropy(logits, y):
    log_p = logits - logits.logsumexp(dim=1, keepdim=True)
    return -log_p[torch.arange(len(y)), y].mean()


velocity = [[torch.zeros_like(p) for p in pair] for pair in params]
lr, momentum, batch = 0.01, 0.9, 50

for epoch in range(12):
    total = 0.0
    shuffled = train_rows[torch.randperm(len(train_rows), generator=g)]
    for rows in shuffled.split(batch):
        loss = cross_entropy(forward(X[rows]), Y[rows])
        flat = [p for pair in params for p in pair]
        grads = torch.autograd.grad(loss, flat)
        with torch.no_grad():
            for p, v, dp in zip(flat, (v for pair in velocity for v in pair), grads):
                v.mul_(momentum).add_(dp)
                p.sub_(lr * v)
        total += loss.item() * len(rows)
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d}  train loss {total / len(train_rows):.4f}")

with torch.no_grad():
    accuracy = (forward(X[test_rows]).argmax(dim=1) == Y[test_rows]).float().mean()
print(f"test accuracy {accuracy:.3f}")
