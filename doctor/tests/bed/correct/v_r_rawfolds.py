# expect: nothing
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
def fit(a, b):
    w = torch.zeros(64, 10, requires_grad=True)
    c = torch.zeros(10, requires_grad=True)
    opt = torch.optim.SGD([w, c], lr=0.3)
    for step in range(60):
        opt.zero_grad()
        F.cross_entropy(a @ w + c, b).backward()
        opt.step()
    return w, c


def score(m, a, b):
    with torch.no_grad():
        return ((a @ m[0] + m[1]).argmax(1) == b).float().mean().item()


x_test, y_test = x[1400:], y[1400:]
for tr, va in KFold(4, shuffle=True, random_state=0).split(np.arange(1400)):
    m = fit(x[tr], y[tr])
    print("validation", score(m, x[va], y[va]))
m = fit(x[:1400], y[:1400])
print("test", score(m, x_test, y_test), "train", score(m, x[:1400], y[:1400]))
