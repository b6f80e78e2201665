# missed: sigmoid_before_bce_with_logits @ 44
# mend: 44 → parser.add_argument("--outer", default="none")
"""Tumour diagnosis with a small net whose activations come from the command line."""
import argparse

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def activation(name):
    if name == "relu":
        return nn.ReLU()
    elif name == "tanh":
        return nn.Tanh()
    elif name == "sigmoid":
        return nn.Sigmoid()
    return nn.Identity()


class Diagnosis(nn.Module):
    def __init__(self, inputs, hidden, inner, outer):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.inner = activation(inner)
        self.last = nn.Linear(hidden, 1)
        self.outer = activation(outer)

    def forward(self, x):
        return self.outer(self.last(self.inner(self.first(x)))).squeeze(1)


def data():
    x, y = load_breast_cancer(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    scaler = StandardScaler().fit(xa)
    return [torch.tensor(a, dtype=torch.float32) for a in (scaler.transform(xa), ya, scaler.transform(xb), yb)]


parser = argparse.ArgumentParser()
parser.add_argument("--inner", default="tanh")
parser.add_argument("--outer", default="sigmoid")
parser.add_argument("--hidden", type=int, default=24)
args = parser.parse_args([])

torch.manual_seed(0)
xa, ya, xb, yb = data()
net = Diagnosis(xa.shape[1], args.hidden, args.inner, args.outer)
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(15):
    net.train()
    for rows in torch.randperm(len(xa)).split(40):
        loss = criterion(net(xa[rows]), ya[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print(f"accuracy {((net(xb) > 0) == (yb > 0.5)).float().mean().item():.3f}")
