# expect: weight_decay_too_high @ 14
# allowed: weight_decay_too_high @ 28
# mend: 5 → """Iris by a small net."""
# mend: 14 → parser.add_argument("--l2", type=float, default=1e-4)
"""Iris by a small net; L2 as strong as in a ridge regression."""

import argparse

import torch
from sklearn.datasets import load_iris
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--l2", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args([])

torch.manual_seed(0)
flowers = load_iris()
order = torch.randperm(150)
x = torch.tensor(flowers.data, dtype=torch.float32)[order]
y = torch.tensor(flowers.target)[order]
x_fit, y_fit, x_test, y_test = x[:110], y[:110], x[110:], y[110:]
middle, spread = x_fit.mean(0), x_fit.std(0)
x_fit, x_test = (x_fit - middle) / spread, (x_test - middle) / spread

net = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=args.l2)
for epoch in range(args.epochs):
    for rows in torch.randperm(110).split(22):
        loss = nn.functional.cross_entropy(net(x_fit[rows]), y_fit[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print(f"loss {loss.item():.3f} accuracy {(net(x_test).argmax(1) == y_test).float().mean():.3f}")
