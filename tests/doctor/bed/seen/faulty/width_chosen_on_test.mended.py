# expect: nothing
# mends: width_chosen_on_test.py
"""Three widths are tried; the one with the best test accuracy is reported with that accuracy."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
ds = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
order = torch.randperm(len(ds)).tolist()
train_loader = DataLoader(Subset(ds, order[:1200]), batch_size=100, shuffle=True)
val_loader = DataLoader(Subset(ds, order[1200:1500]), batch_size=300)
test_loader = DataLoader(Subset(ds, order[1500:]), batch_size=300)


def fit(width, epochs=3):
    net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(epochs):
        for xb, yb in train_loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
    return net


def score(net, loader):
    net.eval()
    with torch.no_grad():
        hits = [(net(xb).argmax(1) == yb).float().mean() for xb, yb in loader]
    return torch.stack(hits).mean().item()


best_net, best_score = None, 0.0
for width in (8, 24, 48):
    net = fit(width)
    s = score(net, val_loader)
    print(f"width {width} accuracy {s:.3f}")
    if s > best_score:
        best_net, best_score = net, s
print(f"test accuracy of the best: {score(best_net, test_loader):.3f}")
