# expect: nothing
# looks suspicious: settings are chosen by scores, and each row is test here and training there: nested
# cross-validation, the outer test rows choose nothing.
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from torch import nn

X, y = load_wine(return_X_y=True)


def train_and_score(width, fit, score):
    torch.manual_seed(0)
    mean, std = X[fit].mean(0), X[fit].std(0)
    x = torch.tensor((X - mean) / std).float()
    t = torch.tensor(y)
    net = nn.Sequential(nn.Linear(13, width), nn.ReLU(), nn.Linear(width, 3))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    fit = torch.as_tensor(fit)
    net.train()
    for _ in range(6):
        for rows in fit[torch.randperm(len(fit))].split(24):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), t[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        return (net(x[score]).argmax(1) == t[score]).float().mean().item()


outer_scores = []
for fold, (dev, test) in enumerate(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y)):
    means = {}
    for width in (2, 16):
        inner = StratifiedKFold(3, shuffle=True, random_state=1).split(X[dev], y[dev])
        means[width] = np.mean([train_and_score(width, dev[a], dev[b]) for a, b in inner])
    best = max(means, key=means.get)
    outer_scores.append(train_and_score(best, dev, test))
    print(f"outer fold {fold}: width {best}, inner {means[best]:.3f}, test {outer_scores[-1]:.3f}")
print(f"estimate {np.mean(outer_scores):.3f} +- {np.std(outer_scores):.3f}")
