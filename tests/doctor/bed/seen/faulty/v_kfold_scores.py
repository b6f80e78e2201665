# expect: missing_eval @ 34
# allowed: missing_eval @ 24
# allowed: missing_eval @ 33
# allowed: missing_eval @ 44
"""Five-fold cross-validation of a dropout network on the diabetes table."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from torch import nn

X, y = load_diabetes(return_X_y=True)
X = X.astype(np.float32) * 20
y = y.astype(np.float32)


def build():
    return nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 32), nn.ReLU(),
                         nn.Dropout(0.4), nn.Linear(32, 1))


def fit(net, xt, yt, epochs=25):
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    net.train()
    for _ in range(epochs):
        for idx in torch.randperm(len(xt)).split(32):
            opt.zero_grad()
            nn.functional.mse_loss(net(xt[idx]), yt[idx]).backward()
            opt.step()


def score(net, xv, yv):
    with torch.no_grad():
        return (net(xv) - yv).pow(2).mean().sqrt().item()


torch.manual_seed(0)
rmses = []
for k, (tr, va) in enumerate(KFold(5, shuffle=True, random_state=0).split(X)):
    mu, sd = y[tr].mean(), y[tr].std()
    as_t = lambda rows: (torch.tensor(X[rows]), torch.tensor((y[rows] - mu) / sd)[:, None])
    net = build()
    fit(net, *as_t(tr))
    rmses.append(score(net, *as_t(va)) * sd)
    print(f"fold {k}: rmse {rmses[-1]:.2f}")
print(f"mean rmse {np.mean(rmses):.2f} +- {np.std(rmses):.2f}")
