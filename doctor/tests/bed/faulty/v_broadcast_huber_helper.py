# expect: target_broadcast @ 14
# allowed: target_broadcast @ 48
# mend: 14 →     err = pred.squeeze(-1) - target
"""Diabetes progression with a robust loss written by hand and early stopping on a validation part."""
import copy
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def robust_loss(pred, target, delta=1.0):
    err = pred - target
    small = err.abs() <= delta
    return torch.where(small, 0.5 * err ** 2, delta * (err.abs() - 0.5 * delta)).mean()


class Regressor(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x)


def load(seed=0):
    X, y = load_diabetes(return_X_y=True)
    X_tr, X_rest, y_tr, y_rest = train_test_split(X, y, test_size=0.4, random_state=seed)
    X_va, X_te, y_va, y_te = train_test_split(X_rest, y_rest, test_size=0.5, random_state=seed)
    sx = StandardScaler().fit(X_tr)
    m, s = y_tr.mean(), y_tr.std()
    f = lambda a, b: (torch.tensor(sx.transform(a), dtype=torch.float32), torch.tensor((b - m) / s, dtype=torch.float32))
    return f(X_tr, y_tr), f(X_va, y_va), f(X_te, y_te)


def main():
    torch.manual_seed(0)
    (x, y), (xv, yv), (xt, yt) = load()
    net = Regressor(x.shape[1])
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    best, keep, wait = float("inf"), None, 0
    for epoch in range(60):
        net.train()
        for idx in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            loss = robust_loss(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            val = (net(xv).squeeze(-1) - yv).abs().mean().item()
        if val < best - 1e-4:
            best, keep, wait = val, copy.deepcopy(net.state_dict()), 0
        else:
            wait += 1
            if wait >= 12:
                break
    net.load_state_dict(keep)
    net.eval()
    with torch.no_grad():
        pred = net(xt).squeeze(-1)
    r2 = 1 - ((pred - yt) ** 2).sum() / ((yt - yt.mean()) ** 2).sum()
    print(f"stopped after {epoch + 1} epochs, val mae {best:.3f}, test R2 {r2:.3f}")


if __name__ == "__main__":
    main()
