# expect: nothing
"""Small-sample classification; the best epoch of several random restarts is reported."""
import copy

import torch
from torch import nn

g = torch.Generator().manual_seed(30)
X = torch.randn(660, 20, generator=g)
Y = (X[:, 0] + 0.7 * X[:, 1] + 1.5 * torch.randn(660, generator=g) > 0).long()
parts = {"train": slice(0, 160), "val": slice(160, 260), "test": slice(260, 320)}
data = {k: (X[s], Y[s]) for k, s in parts.items()}


def accuracy(net, part):
    net.eval()
    with torch.no_grad():
        x, y = data[part]
        return (net(x).argmax(1) == y).float().mean().item()


def train_once(seed, epochs=12):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    x, y = data["train"]
    for _ in range(epochs):
        net.train()
        for idx in torch.randperm(len(x)).split(20):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x[idx]), y[idx]).backward()
            opt.step()
        yield net


best, chosen = -1.0, None
for seed in range(10):
    for net in train_once(seed):
        score = accuracy(net, "val")
        if score > best:
            best, chosen = score, copy.deepcopy(net)
print("train accuracy", accuracy(chosen, "train"))
print("test accuracy of the chosen model", accuracy(chosen, "test"))
