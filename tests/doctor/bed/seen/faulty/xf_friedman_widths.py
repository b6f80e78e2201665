# expect: scheduler_misuse @ 42
# allowed: scheduler_misuse @ 41
# allowed: scheduler_misuse @ 64
# Compare two widths of MLP on the Friedman table, learning rate driven by validation R2.
import numpy as np
import torch
from sklearn.datasets import make_friedman1
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 4
X, y = make_friedman1(n_samples=1800, n_features=10, noise=0.5, random_state=SEED)
X_fit, X_test, y_fit, y_test = train_test_split(X, y, test_size=400, random_state=SEED)
X_tr, X_val, y_tr, y_val = train_test_split(X_fit, y_fit, test_size=300, random_state=SEED)

xs = StandardScaler().fit(X_tr)
ys = StandardScaler().fit(y_tr[:, None])


def tensors(a, b):
    a = torch.as_tensor(xs.transform(a), dtype=torch.float32)
    b = torch.as_tensor(ys.transform(b[:, None]), dtype=torch.float32)
    return a, b


train_set = TensorDataset(*tensors(X_tr, y_tr))
val_x, val_y = tensors(X_val, y_val)
test_x, test_y = tensors(X_test, y_test)


def build(width):
    net = nn.Sequential(
        nn.Linear(10, width), nn.ReLU(),
        nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, 1),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.015, momentum=0.9)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.2, patience=2, min_lr=1e-6,
    )
    return net, optimizer, plateau


@torch.no_grad()
def score(net, x, y):
    net.eval()
    return r2_score(y.numpy(), net(x).numpy())


def fit(width, epochs=24):
    torch.manual_seed(SEED)
    net, optimizer, plateau = build(width)
    loader = DataLoader(train_set, batch_size=48, shuffle=True)
    mse = nn.MSELoss()
    for _ in range(epochs):
        net.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            mse(net(xb), yb).backward()
            optimizer.step()
        plateau.step(score(net, val_x, val_y))
    return net, optimizer.param_groups[0]["lr"]


results = {}
for width in (16, 32):
    net, lr = fit(width)
    results[width] = (score(net, val_x, val_y), net)
    print(f"width {width:3d}: val R2 {results[width][0]:.4f}, last lr {lr:.2g}")

best = max(results, key=lambda w: results[w][0])
print(f"chosen width {best}, test R2 {score(results[best][1], test_x, test_y):.4f}")
