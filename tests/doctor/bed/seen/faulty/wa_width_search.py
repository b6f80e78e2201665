# expect: selection_on_test @ 76
# allowed: selection_on_test @ 83
# allowed: selection_on_test @ 87
# allowed: selection_on_test @ 95
"""Small architecture search on a noisy two-class table, with callbacks."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn


def make_splits(seed=0):
    x, y = make_classification(
        n_samples=320, n_features=20, n_informative=6, n_redundant=2,
        flip_y=0.3, class_sep=0.8, random_state=seed,
    )
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=60, stratify=y, random_state=seed)
    x_train, x_val, y_train, y_val = train_test_split(
        x_rest, y_rest, test_size=60, stratify=y_rest, random_state=seed
    )
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)

    def pair(a, b):
        return torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b)

    return {"train": pair(x_train, y_train), "val": pair(x_val, y_val), "test": pair(x_test, y_test)}


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(dim=1) == y).float().mean().item()


class KeepBest:
    """Remembers the weights of the best epoch; asks to stop after `patience` worse ones."""

    def __init__(self, data, patience=10):
        self.data, self.patience = data, patience
        self.best, self.state, self.bad = -1.0, None, 0

    def __call__(self, net):
        acc = accuracy(net, *self.data)
        if acc > self.best:
            self.best, self.bad = acc, 0
            self.state = copy.deepcopy(net.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


def fit(net, data, callbacks, lr, epochs=25):
    x, y = data
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    for epoch in range(epochs):
        net.train()
        for idx in torch.randperm(len(x)).split(25):
            opt.zero_grad()
            F.cross_entropy(net(x[idx]), y[idx]).backward()
            opt.step()
        if any([cb(net) for cb in callbacks]):
            break
    return epoch + 1


def mlp(width, drop):
    return nn.Sequential(
        nn.Linear(20, width), nn.ReLU(), nn.Dropout(drop),
        nn.Linear(width, 2),
    )


def search(splits, watch="test"):
    """Trains every candidate and returns the one with the best watched accuracy."""
    winner, winner_acc = None, -1.0
    for width in (8, 24, 64):
        for drop in (0.1, 0.4):
            for lr in (2e-3, 8e-3):
                net = mlp(width, drop)
                keeper = KeepBest(splits[watch])
                n = fit(net, splits["train"], [keeper], lr)
                net.load_state_dict(keeper.state)
                print(f"width {width:2d} drop {drop} lr {lr}: {n:2d} epochs, {watch} {keeper.best:.3f}")
                if keeper.best > winner_acc:
                    winner, winner_acc = net, keeper.best
    return winner


if __name__ == "__main__":
    torch.manual_seed(4)
    splits = make_splits()
    net = search(splits)
    print(f"chosen net: train accuracy {accuracy(net, *splits['train']):.3f}")
    print(f"chosen net: test accuracy  {accuracy(net, *splits['test']):.3f}")
