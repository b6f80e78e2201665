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
n = 120
a = torch.rand(n, n) < 0.05
adj = ((a | a.T).float() + torch.eye(n))
adj = adj / adj.sum(1, keepdim=True)
feat = torch.randn(n, 8)
lab = (feat[:, 0] > 0).long()
train_mask = torch.rand(n) < 0.5
test_mask = ~train_mask
w1 = (torch.randn(8, 16) * 0.3).requires_grad_()
w2 = (torch.randn(16, 2) * 0.3).requires_grad_()
opt = torch.optim.Adam([w1, w2], lr=1e-2)


def forward(x):
    return adj @ torch.relu(adj @ (x @ w1)) @ w2


for epoch in range(80):
    opt.zero_grad()
    F.cross_entropy(forward(feat)[train_mask], lab[train_mask]).backward()
    opt.step()
    with torch.no_grad():
        test_acc = (forward(feat)[test_mask].argmax(1) == lab[test_mask]).float().mean()
print("test", test_acc)
