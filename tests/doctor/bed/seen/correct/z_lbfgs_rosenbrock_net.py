# expect: nothing
"""LBFGS with a closure for a small fit, evaluated once."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=False)
rng = np.random.default_rng(0)
order = rng.permutation(len(X))
tr, te = order[:350], order[350:]
X = (X - X[tr].mean(0)) / X[tr].std(0)
y = (y - y[tr].mean()) / y[tr].std()
X, y = torch.tensor(X).float(), torch.tensor(y).float()
net = torch.nn.Sequential(torch.nn.Linear(10, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=10, line_search_fn="strong_wolfe")
calls = 0


def closure():
    global calls
    calls += 1
    optimizer.zero_grad()
    data = ((net(X[tr]).ravel() - y[tr]) ** 2).mean()
    penalty = 1e-3 * sum(p.pow(2).sum() for p in net.parameters())
    loss = data + penalty
    loss.backward()
    return loss


for outer in range(8):
    value = optimizer.step(closure)
    print(outer, calls, float(value))
with torch.no_grad():
    print("test mse", float(((net(X[te]).ravel() - y[te]) ** 2).mean()))
