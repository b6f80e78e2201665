# expect: scaler_leakage @ 22
# allowed: scaler_leakage @ 21
# allowed: scaler_leakage @ 23
# allowed: scaler_leakage @ 29
# allowed: scaler_leakage @ 40
"""Classifies machine states from a drifting sensor; later recordings form the test part."""
import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

rng = np.random.default_rng(3)
n, d = 400, 20
state = rng.integers(0, 2, n)
X = rng.normal(0, 1, (n, d))
X[:, :4] += state[:, None] * 1.2
X[:, 4:] *= 0.3
X[200:, 4:] *= 5.0
past, future = slice(0, 200), slice(200, n)

scaler = StandardScaler()
scaler.fit(X)
Z = torch.tensor(scaler.transform(X), dtype=torch.float32)
t = torch.tensor(state)

torch.manual_seed(3)
net = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
x, y = Z[past], t[past]
for epoch in range(15):
    net.train()
    for idx in torch.randperm(len(x)).split(30):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
net.eval()
with torch.inference_mode():
    print("past accuracy", (net(x).argmax(1) == y).float().mean().item())
    print("future accuracy", (net(Z[future]).argmax(1) == t[future]).float().mean().item())
