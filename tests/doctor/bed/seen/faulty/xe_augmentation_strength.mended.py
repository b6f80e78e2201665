# expect: nothing
"""Which jitter / dropout setting suits a tiny noisy-digit set?  Trains one net per setting."""
from dataclasses import dataclass
from itertools import product

import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)


@dataclass
class Parts:
    fit: tuple
    val: tuple
    test: tuple


def load(noise=0.55, seed=4):
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    x = x + noise * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    y = torch.tensor(y)
    idx = range(600)
    a, rest = train_test_split(list(idx), test_size=80, stratify=y[:600], random_state=seed)
    b, c = train_test_split(rest, test_size=40, stratify=y[rest], random_state=seed)
    return Parts((x[a], y[a]), (x[b], y[b]), (x[c], y[c]))


def net(drop):
    return nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(drop), nn.Linear(64, 10)
    )


@torch.no_grad()
def accuracy(model, part):
    model.eval()
    x, y = part
    return (model(x).argmax(1) == y).float().mean().item()


def run(parts, jitter, drop, seed, epochs=12):
    torch.manual_seed(seed)
    model = net(drop)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    x, y = parts.fit
    for _ in range(epochs):
        model.train()
        for idx in torch.randperm(len(x)).split(48):
            xb = x[idx] + jitter * torch.randn(len(idx), 64)
            loss = nn.functional.cross_entropy(model(xb), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return model


class Board:
    """remembers the best model seen so far"""

    def __init__(self):
        self.top, self.model, self.setting = -1.0, None, None

    def offer(self, score, model, setting):
        if score > self.top:
            self.top, self.model, self.setting = score, model, setting


def main():
    parts = load()
    board = Board()
    for jitter, drop, seed in product([0.0, 0.2, 0.4], [0.1, 0.3], [1, 2, 3]):
        model = run(parts, jitter, drop, seed)
        score = accuracy(model, parts.val)
        board.offer(score, model, (jitter, drop, seed))
    j, d, s = board.setting
    print(f"chosen: jitter {j}, dropout {d}, start {s}")
    print(f"train accuracy {accuracy(board.model, parts.fit):.3f}")
    print(f"validation accuracy {accuracy(board.model, parts.val):.3f}")
    print(f"test accuracy {accuracy(board.model, parts.test):.3f}")


main()
