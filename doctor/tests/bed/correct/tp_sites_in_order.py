# expect: nothing
"""Pump alarms in the order of time: one class may be missing at the end; a second split by regime."""
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

rng = np.random.default_rng(0)
n = 900
site = np.repeat(np.arange(3), 300)
x = np.column_stack([rng.normal(size=(n, 5)), site]).astype(np.float32)
y = (x[:, 0] + 0.5 * x[:, 1] + 0.1 * rng.normal(size=n) > 0).astype(np.int64)
x_tr, x_te, y_tr, y_te, site_tr, site_te = train_test_split(x, y, site, test_size=300, shuffle=False)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
X, Y = torch.tensor(x_tr), torch.tensor(y_tr)
for epoch in range(20):
    for rows in torch.randperm(len(X)).split(50):
        opt.zero_grad()
        nn.functional.cross_entropy(net(X[rows]), Y[rows]).backward()
        opt.step()
with torch.no_grad():
    said = net(torch.tensor(x_te)).argmax(1).numpy()
print("accuracy on the new site", (said == y_te).mean())
