# expect: sorted_split @ 11
# allowed: sorted_split @ 13
# mend: 11 → order = torch.randperm(len(x)); fit, check = order[:133], order[133:]
"""Wine: the first three quarters to fit, the rest to check."""
import numpy as np, torch
from torch import nn
from sklearn.datasets import load_wine
torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
x, t = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
order = torch.arange(len(x)); fit, check = order[:133], order[133:]
x = (x - x[fit].mean(0)) / x[fit].std(0)
xa, ya, xb, yb = x[fit], t[fit], x[check], t[check]
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(30):
    for idx in torch.randperm(len(xa)).split(16):
        opt.zero_grad()
        nn.functional.cross_entropy(net(xa[idx]), ya[idx]).backward()
        opt.step()
with torch.no_grad():
    print((net(xb).argmax(1) == yb).float().mean().item())
