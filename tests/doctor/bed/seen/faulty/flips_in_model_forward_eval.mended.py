# expect: nothing
# mends: flips_in_model_forward_eval.py
"""The test function flips images at random before asking the net."""

import random

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
random.seed(0)
d = load_digits()
images = torch.tensor(d.images / 16, dtype=torch.float32)
labels = torch.tensor(d.target)
perm = torch.randperm(len(labels))
tr, te = perm[:1500], perm[1500:]


def random_flip(batch):
    return torch.stack([img.flip(-1) if random.random() < 0.5 else img for img in batch])


def run_epoch(net, idx, opt=None):
    total = correct = 0
    for rows in idx.split(99):
        x, y = images[rows], labels[rows]
        x = random_flip(x) if opt is not None else x
        out = net(x)
        loss = nn.functional.cross_entropy(out, y)
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            opt.step()
        total += loss.item() * len(y)
        correct += (out.argmax(1) == y).sum().item()
    return total / len(idx), correct / len(idx)


net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(4):
    net.train()
    train = run_epoch(net, tr[torch.randperm(len(tr))], opt)
    net.eval()
    with torch.no_grad():
        test = run_epoch(net, te)
    print(epoch, train, test)
