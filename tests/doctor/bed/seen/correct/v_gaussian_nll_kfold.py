# expect: nothing
"""Heteroscedastic two-head regression with GaussianNLLLoss in a 3-fold loop, scaler fitted inside every fold."""
import numpy as np
import torch
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn


class MeanVar(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU())
        self.mean, self.raw = nn.Linear(48, 1), nn.Linear(48, 1)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h).squeeze(-1), nn.functional.softplus(self.raw(h)).squeeze(-1) + 1e-3


def fit_fold(x, y, xv, yv):
    net = MeanVar(x.shape[1])
    opt = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=8e-3, epochs=20, steps_per_epoch=-(-len(x) // 50))
    nll = nn.GaussianNLLLoss()
    for _ in range(20):
        net.train()
        for idx in torch.randperm(len(x)).split(50):
            opt.zero_grad()
            loss = nll(*(lambda m, v: (m, y[idx], v))(*net(x[idx])))
            loss.backward()
            opt.step()
            sched.step()
    net.eval()
    with torch.inference_mode():
        m, v = net(xv)
        return nll(m, yv, v).item(), ((m - yv).abs() < 1.64 * v.sqrt()).float().mean().item()


rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, (900, 3)) * np.array([1.0, 50.0, 0.1])
t = np.sin(2 * X[:, 0]) + X[:, 1] / 50 + rng.normal(size=900) * (0.1 + 0.2 * np.abs(X[:, 0]))
torch.manual_seed(0)
for k, (a, b) in enumerate(KFold(3, shuffle=True, random_state=0).split(X)):
    sc = StandardScaler().fit(X[a])
    z = lambda i: (torch.tensor(sc.transform(X[i]), dtype=torch.float32), torch.tensor(t[i], dtype=torch.float32))
    score, cover = fit_fold(*z(a), *z(b))
    print(f"fold {k} nll {score:.3f} coverage of the 90% band {cover:.3f}")
