# expect: nothing
"""Five-fold cross-validation of a small network on a noisy three-class problem."""
import numpy as np
import torch
from sklearn.datasets import make_blobs
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def build_net():
    return nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 3))


def fold_loaders(dataset, train_idx, val_idx):
    train = DataLoader(Subset(dataset, train_idx), batch_size=32, shuffle=True)
    val = DataLoader(Subset(dataset, val_idx), batch_size=128)
    return train, val


def fit(net, loader, epochs=25):
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    loss_fn = nn.CrossEntropyLoss()
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            loss_fn(net(x), y).backward()
            opt.step()


@torch.no_grad()
def score(net, loader):
    net.eval()
    ok = n = 0
    for x, y in loader:
        ok += (net(x).argmax(1) == y).sum().item()
        n += len(y)
    return ok / n


def main():
    torch.manual_seed(0)
    X, y = make_blobs(450, 10, centers=3, cluster_std=7.5, random_state=2)
    rng = np.random.default_rng(0)
    flip = rng.random(len(y)) < 0.15
    y[flip] = rng.integers(0, 3, flip.sum())
    X = torch.tensor(X / 10.0, dtype=torch.float32)
    dataset = TensorDataset(X, torch.tensor(y))
    scores = []
    for k, (tr, va) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)):
        net = build_net()
        train_loader, val_loader = fold_loaders(dataset, tr, va)
        fit(net, train_loader)
        scores.append(score(net, val_loader))
        print(f"fold {k}: {scores[-1]:.3f}")
    print(f"cross-validated accuracy {np.mean(scores):.3f} +- {np.std(scores):.3f}")


if __name__ == "__main__":
    main()
