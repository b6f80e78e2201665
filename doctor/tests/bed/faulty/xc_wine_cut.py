# missed: sorted_split @ 30
# allowed: sorted_split @ 29
# allowed: sorted_split @ 31
# allowed: sorted_split @ 32
# allowed: sorted_split @ 73
# allowed: sorted_split @ 74
# mend: 30 →     order = np.random.default_rng(seed).permutation(len(X))
# Wine + small MLP with EMA shadow weights; split helper of our own.
import copy
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn


@dataclass
class Options:
    holdout: float = 0.25
    epochs: int = 30
    batch: int = 16
    lr: float = 1e-2
    decay: float = 0.9
    seed: int = 5


def holdout_split(X, y, fraction, seed):
    n_train = int(round(len(X) * (1 - fraction)))
    order = np.arange(len(X))
    train, test = order[:n_train], order[n_train:]
    return X[train], y[train], X[test], y[test]


class Standardizer:
    def fit(self, X):
        self.mean, self.std = X.mean(0), X.std(0)
        return self

    def __call__(self, X):
        return torch.tensor((X - self.mean) / self.std, dtype=torch.float32)


class Shadow:
    def __init__(self, net, decay):
        self.net, self.decay = copy.deepcopy(net).eval().requires_grad_(False), decay

    @torch.no_grad()
    def update(self, net):
        for s, p in zip(self.net.parameters(), net.parameters()):
            s.mul_(self.decay).add_(p, alpha=1 - self.decay)


def train(net, shadow, x, y, opt):
    optimizer = torch.optim.Adam(net.parameters(), lr=opt.lr)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(opt.epochs):
        net.train()
        running = 0.0
        for idx in torch.randperm(len(x)).split(opt.batch):
            optimizer.zero_grad()
            loss = criterion(net(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            shadow.update(net)
            running += loss.item() * len(idx)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {running / len(x):.4f}")


def main(opt):
    torch.manual_seed(opt.seed)
    X, y = load_wine(return_X_y=True)
    X_train, y_train, X_test, y_test = holdout_split(X, y, opt.holdout, opt.seed)
    scale = Standardizer().fit(X_train)
    net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    shadow = Shadow(net, opt.decay)
    train(net, shadow, scale(X_train), torch.tensor(y_train), opt)
    with torch.no_grad():
        guess = shadow.net(scale(X_test)).argmax(dim=1).numpy()
    print("classes in test:", np.bincount(y_test, minlength=3), f"accuracy {np.mean(guess == y_test):.3f}")


if __name__ == "__main__":
    main(Options())
