# expect: non_finite_loss @ 24
# needs: torch>=2.0
# mend: 23 →     p = p.clamp(1e-3, 1 - 1e-3)
"""nf"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call
from sklearn.datasets import load_digits, load_wine, load_breast_cancer, load_diabetes, load_iris


a, b = load_iris(return_X_y=True)
X = torch.tensor(a, dtype=torch.float32); X = (X - X.mean(0)) / X.std(0)
y = torch.tensor(b == 1, dtype=torch.float32)
torch.manual_seed(0)
W = [torch.randn(4, 8), torch.zeros(8), torch.randn(8), torch.zeros(1)]
W = [t.requires_grad_() for t in W]

def probability(x):
    return torch.relu(torch.relu(x @ W[0] + W[1]) @ W[2] + W[3]).clamp(max=1)

def likelihood(p, y):
    p = p
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()

for step in range(100):
    loss = likelihood(probability(X), y)
    grads = torch.autograd.grad(loss, W)
    with torch.no_grad():
        for t, d in zip(W, grads):
            t -= 0.01 * d
print(loss.item())
