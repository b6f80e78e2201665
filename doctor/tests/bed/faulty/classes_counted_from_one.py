# expect: bad_label_values @ 16
# allowed: bad_label_values @ 28
# mend: 16 → y = torch.tensor(cultivar) - 1
"""Wine cultivars named 1, 2, 3 in the table and a net with three outputs."""

import sys

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
cultivar = wine.target + 1
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
y = torch.tensor(cultivar)
order = torch.randperm(len(x))
x, y = x[order], y[order]


def main():
    net = nn.Sequential(nn.Linear(13, 20), nn.ReLU(), nn.Linear(20, 3))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(5):
        total = 0.0
        for xb, yb in zip(x.split(16), y.split(16), strict=True):
            loss = loss_fn(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch} loss {total / len(x):.4f}")


try:
    main()
except IndexError as error:
    print("training stopped:", error)
    sys.exit(0)
