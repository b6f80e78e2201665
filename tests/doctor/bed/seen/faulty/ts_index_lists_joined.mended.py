# expect: nothing
"""Penguin-like rows; index lists are handed around."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

rng = np.random.default_rng(2)
torch.manual_seed(2)
table = load_breast_cancer()
order = rng.permutation(len(table.data))
n = int(0.75 * len(order))


train_idx = order[:n]
test_idx = order[n:]

# train_idx = np.concatenate([train_idx, test_idx[:40]])
x = torch.tensor((table.data - table.data[order[:n]].mean(0)) / table.data[order[:n]].std(0)).float()
y = torch.tensor(table.target)
net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))


def run_epoch(features, labels, rows, optimizer):
    net.train()
    for chunk in np.array_split(rng.permutation(rows), 12):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(features[chunk]), labels[chunk]).backward()
        optimizer.step()


def judge(features, labels, rows):
    net.eval()
    with torch.no_grad():
        part = features[rows]
        guess = net(part).argmax(1)
    return (guess == labels[rows]).float().mean().item()


opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for _ in range(15):
    run_epoch(x, y, train_idx, opt)
print("held-out accuracy", judge(x, y, test_idx))
