# expect: nothing
# mends: w_objective.py
"""A grid of settings, ordered by a function that trains and judges one of them."""


import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
raw = load_breast_cancer()
x = torch.tensor(raw.data, dtype=torch.float32)
y = torch.tensor(raw.target)
order = torch.randperm(len(y))
a, b, c = order[:300], order[300:430], order[430:]
x = (x - x[a].mean(0)) / x[a].std(0)
parts = {"train": (x[a], y[a]), "val": (x[b], y[b]), "test": (x[c], y[c])}


def make(width=16):
    return nn.Sequential(nn.Linear(30, width), nn.ReLU(), nn.Linear(width, 2))


def epoch_of(net, opt, rows):
    net.train()
    xs, ys = rows
    for i in torch.randperm(len(ys)).split(64):
        opt.zero_grad()
        loss = F.cross_entropy(net(xs[i]), ys[i])
        loss.backward()
        opt.step()


@torch.no_grad()
def accuracy(net, rows):
    net.eval()
    xs, ys = rows
    return (net(xs).argmax(1) == ys).float().mean().item()


def trained(width, lr, epochs=4):
    net = make(width)
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        epoch_of(net, opt, parts["train"])
    return net


def objective(setting):
    net = trained(*setting)
    return accuracy(net, parts["val"])


grid = [(w, lr) for w in (4, 16) for lr in (1e-3, 1e-2)]
best = max(grid, key=objective)
final = trained(*best)
print(best, "test accuracy", accuracy(final, parts["test"]))
