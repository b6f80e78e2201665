# expect: nothing
"""Repeated readings of the same specimens: split by specimen, bag small nets, choose the width on a validation part."""
import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import GroupShuffleSplit
from torch import nn

READINGS = 3


def readings(seed):
    """three noisy readings of each flower, then everything in one random order"""
    rng = np.random.default_rng(seed)
    x, y = load_iris(return_X_y=True)
    # a flower measured twice in the source table is one specimen
    _, specimen = np.unique(x, axis=0, return_inverse=True)
    specimen = specimen.ravel()
    x = np.repeat(x, READINGS, axis=0)
    x = x + rng.normal(0, 0.05, x.shape)
    y, specimen = np.repeat(y, READINGS), np.repeat(specimen, READINGS)
    order = rng.permutation(len(x))
    return x[order], y[order], specimen[order]


def part(groups, share, seed):
    cut = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    return next(cut.split(groups, groups=groups))


def train_one(x, y, width, draw):
    net = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 3))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    xb, yb = x[draw], y[draw]
    for _ in range(25):
        for i in torch.randperm(len(xb)).split(32):
            opt.zero_grad()
            nn.functional.cross_entropy(net(xb[i]), yb[i]).backward()
            opt.step()
    return net.eval()


def bag(x, y, width, members=4):
    """each member sees a sample with replacement of the training rows"""
    return [train_one(x, y, width, torch.randint(len(x), (len(x),))) for _ in range(members)]


@torch.no_grad()
def vote(nets, x):
    return torch.stack([n(x).softmax(-1) for n in nets]).mean(0)


def score(nets, x, y):
    p = vote(nets, x)
    return (p.argmax(1) == y).float().mean().item(), nn.functional.nll_loss(p.log(), y).item()


def main():
    torch.manual_seed(7)
    x, y, specimen = readings(7)
    rest, test = part(specimen, 0.3, 7)
    a, b = part(specimen[rest], 0.25, 8)
    fit, val = rest[a], rest[b]
    assert not set(specimen[fit]) & set(specimen[test]) and not set(specimen[val]) & set(specimen[test])
    mean, std = x[fit].mean(0), x[fit].std(0)
    x = torch.tensor((x - mean) / std, dtype=torch.float32)
    y = torch.tensor(y)

    tried = {}
    for width in (2, 6, 16):
        nets = bag(x[fit], y[fit], width)
        acc, nll = score(nets, x[val], y[val])
        print(f"width {width:2d}: validation accuracy {acc:.3f}, log loss {nll:.3f}")
        tried[width] = (nll, nets)
    width = min(tried, key=lambda w: tried[w][0])
    acc, nll = score(tried[width][1], x[test], y[test])
    print(f"chosen width {width}: test accuracy {acc:.3f}, log loss {nll:.3f}")


if __name__ == "__main__":
    main()
