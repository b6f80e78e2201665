# expect: target_broadcast @ 55
# mend: 55 →             loss = criterion(net(x_tr[idx]).squeeze(-1), y_tr[idx])
"""Ablation: Charbonnier against squared error for disease progression (diabetes), functional style with a loss registry."""
import functools
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

LOSSES = {}


def register(name):
    def wrap(fn):
        LOSSES[name] = fn
        return fn
    return wrap


@register("l2")
def l2(pred, target):
    return torch.mean((pred - target) ** 2)


@register("charbonnier")
def charbonnier(pred, target, eps=0.5):
    return torch.mean(torch.sqrt((pred - target) ** 2 + eps ** 2) - eps)


def load(seed):
    X, y = load_diabetes(return_X_y=True)
    parts = train_test_split(X, y, test_size=0.25, random_state=seed)
    xs = StandardScaler().fit(parts[0])
    ys = StandardScaler().fit(parts[2][:, None])
    x_tr, x_te = (torch.tensor(xs.transform(a), dtype=torch.float32) for a in parts[:2])
    y_tr, y_te = (torch.tensor(ys.transform(a[:, None]).ravel(), dtype=torch.float32) for a in parts[2:])
    return x_tr, x_te, y_tr, y_te


def minibatches(n, size, gen):
    yield from torch.randperm(n, generator=gen).split(size)


def run(loss_name, seed=0, epochs=12):
    torch.manual_seed(seed)
    gen = torch.Generator().manual_seed(seed)
    x_tr, x_te, y_tr, y_te = load(seed)
    net = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-3)
    criterion = functools.partial(LOSSES[loss_name])
    for _ in range(epochs):
        for idx in minibatches(len(x_tr), 32, gen):
            opt.zero_grad()
            loss = criterion(net(x_tr[idx]), y_tr[idx])
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        out = net(x_te).squeeze(-1)
    mae = (out - y_te).abs().mean().item()
    r2 = 1 - ((out - y_te) ** 2).sum().item() / ((y_te - y_te.mean()) ** 2).sum().item()
    return mae, r2


if __name__ == "__main__":
    print(f"{'loss':<14}{'MAE':>8}{'R2':>8}")
    for name in LOSSES:
        mae, r2 = run(name)
        print(f"{name:<14}{mae:>8.3f}{r2:>8.3f}")
