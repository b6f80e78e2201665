# expect: sorted_split @ 12
# mend: 9 → n, p = 133, np.random.default_rng(0).permutation(len(X)); X, y = X[p], y[p]
"""Wine, cut where the table ends; the figure is NumPy's."""
import numpy as np, torch
from torch import nn
from sklearn.datasets import load_wine
torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
n = 133
m, s = X[:n].mean(0), X[:n].std(0)
X = (X - m) / s
xa, ya, xb, yb = torch.tensor(X[:n], dtype=torch.float32), torch.tensor(y[:n]), torch.tensor(X[n:], dtype=torch.float32), y[n:]
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(30):
    for idx in torch.randperm(len(xa)).split(16):
        opt.zero_grad()
        nn.functional.cross_entropy(net(xa[idx]), ya[idx]).backward()
        opt.step()
with torch.no_grad():
    guess = net(xb).argmax(1).numpy()
print("accuracy", (guess == yb).mean())
