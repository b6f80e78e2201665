# expect: clip_too_small @ 25
"""Digits with plain SGD; the settings are a table."""
import torch
from sklearn.datasets import load_digits
from torch import nn

cfg = {"lr": 0.01, "clip_norm": 1.0, "epochs": 8, "batch": 64}

torch.manual_seed(5)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.SGD(net.parameters(), lr=cfg["lr"], momentum=0.9)

for epoch in range(cfg["epochs"]):
    total = 0.0
    for rows in train[torch.randperm(len(train))].split(cfg["batch"]):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        # outliers
        nn.utils.clip_grad_norm_(net.parameters(), max_norm=cfg["lr"])
        opt.step()
        total += loss.item() * len(rows)
    print(epoch, total / len(train))
with torch.no_grad():
    print((net(x[test]).argmax(1) == y[test]).float().mean().item())
