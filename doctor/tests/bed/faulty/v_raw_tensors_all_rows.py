# missed: test_in_train @ 32
# mend: 32 →     hidden = torch.tanh(x[train] @ w1 + b1)
# mend: 33 →     loss = F.cross_entropy(hidden @ w2 + b2, y[train])
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split, KFold
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
x, y = x[order], y[order]
def init(n):
    g = torch.Generator().manual_seed(3)
    w1 = (torch.randn(64, n, generator=g) / 8).requires_grad_()
    b1 = torch.zeros(n, requires_grad=True)
    w2 = (torch.randn(n, 10, generator=g) / n**0.5).requires_grad_()
    b2 = torch.zeros(10, requires_grad=True)
    return [w1, b1, w2, b2]


idx = np.arange(len(x))
train, test = train_test_split(idx, test_size=0.3, random_state=0)
w1, b1, w2, b2 = init(32)
for step in range(150):
    hidden = torch.tanh(x @ w1 + b1)
    loss = F.cross_entropy(hidden @ w2 + b2, y)
    loss.backward()
    with torch.no_grad():
        for q in (w1, b1, w2, b2):
            q.sub_(0.5 * q.grad)
            q.grad = None
with torch.no_grad():
    hidden = torch.tanh(x[test] @ w1 + b1)
    print("test accuracy", ((hidden @ w2 + b2).argmax(1) == y[test]).float().mean().item())
