# missed: selection_on_test @ 63
# mend: 63 → winner = max(runs, key=operator.attrgetter("on_val"))
"""Widths are compared; a record holds what each got, and the best record wins."""

import operator
from dataclasses import dataclass

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


@dataclass
class Run:
    width: int
    on_val: float
    on_test: float


runs = []
for width in (4, 8, 32):
    net = trained(width, 3e-3)
    runs.append(Run(width, accuracy(net, parts["val"]), accuracy(net, parts["test"])))
winner = max(runs, key=operator.attrgetter("on_test"))
print(f"width {winner.width}: test accuracy {winner.on_test:.3f}")
