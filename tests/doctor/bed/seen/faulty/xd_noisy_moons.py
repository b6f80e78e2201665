# expect: test_in_train @ 33
# allowed: test_in_train @ 34
# allowed: test_in_train @ 35
# allowed: test_in_train @ 70
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset, Subset
from sklearn.datasets import make_moons

# two moons where a good part of the points overlap; how well can an MLP do?
rng = np.random.default_rng(1)
torch.manual_seed(1)


def make_points(n, noise):
    # every point drawn on its own, standardised with constants known for the moons
    pts, lab = make_moons(n, noise=noise, random_state=int(rng.integers(1000)))
    extra = rng.normal(size=(n, 10))          # distractor columns
    cols = np.hstack([(pts - [0.5, 0.25]) / [0.95, 0.65], extra])
    return TensorDataset(torch.as_tensor(cols, dtype=torch.float32),
                         torch.as_tensor(lab, dtype=torch.float32).unsqueeze(1))


def folds(n, k):
    return np.array_split(rng.permutation(n), k)


def loaders_for(data, parts, held_out):
    """Loader over all folds but `held_out`, and one over `held_out`."""
    pieces = [Subset(data, p.tolist()) for p in parts]
    rest = pieces[:held_out] + pieces[held_out:]
    fit = DataLoader(ConcatDataset(rest), batch_size=20, shuffle=True)
    check = DataLoader(pieces[held_out], batch_size=100)
    return fit, check


def mlp():
    return nn.Sequential(nn.Linear(12, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))


def fit_one(net, loader, epochs=20):
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    net.train()
    for _ in range(epochs):
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = F.binary_cross_entropy_with_logits(net(x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
    return total / len(loader.dataset)


def accuracy(net, loader):
    net.eval()
    good = 0
    with torch.no_grad():
        for x, y in loader:
            good += ((net(x) > 0).float() == y).sum().item()
    return good / len(loader.dataset)


data = make_points(210, noise=0.6)
parts = folds(len(data), 3)
scores = []
for k in range(len(parts)):
    fit, check = loaders_for(data, parts, k)
    net = mlp()
    last = fit_one(net, fit)
    scores.append(accuracy(net, check))
    print(f"fold {k}: last train loss {last:.4f}, held-out accuracy {scores[-1]:.3f}")
print(f"cross-validated accuracy {np.mean(scores):.3f} +- {np.std(scores):.3f}")
