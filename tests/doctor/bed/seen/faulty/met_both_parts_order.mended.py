# expect: nothing
"""Digits whose last part is cut in an order, and its labels without; one loop tells of both parts."""
import numpy as np, torch
from torch import nn
from sklearn.datasets import load_digits
torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
rng = np.random.default_rng(0)
cut = 1400
p = rng.permutation(len(X))
parts = {"train": (X[p[:cut]], y[p[:cut]]), "test": (X[p[cut:]], y[p[cut:]])}
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
u, v = map(torch.tensor, parts["train"])
for epoch in range(20):
    net.train()
    for i in torch.randperm(len(u)).split(32):
        opt.zero_grad(); loss = nn.functional.cross_entropy(net(u[i]), v[i]); loss.backward(); opt.step()
net.eval()
with torch.no_grad():
    for name, (u, v) in parts.items():
        hit = (net(torch.tensor(u)).argmax(1) == torch.tensor(v)).float().mean()
        print(name, hit.item())
