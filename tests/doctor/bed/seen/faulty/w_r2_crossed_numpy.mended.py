# expect: nothing
"""R2 of two targets, in NumPy."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(3)
x = rng.normal(size=(500, 5)).astype("float32")
y = np.stack([x[:, 0] * x[:, 1] + 2, np.sin(x[:, 2])], 1).astype("float32")


def r2(p, t):
    centre = np.mean(t, axis=0, keepdims=True)
    total = ((t - centre) ** 2).sum(axis=0)
    rest = ((t - p) ** 2).sum(axis=0)
    return 1.0 - rest / total


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
xt, yt = torch.tensor(x[:400]), torch.tensor(y[:400])
for _ in range(40):
    for i in torch.randperm(400).split(40):
        opt.zero_grad()
        nn.functional.mse_loss(net(xt[i]), yt[i]).backward()
        opt.step()
net.eval()
with torch.no_grad():
    p = net(torch.tensor(x[400:])).numpy()
print("r2", r2(p, y[400:]))
