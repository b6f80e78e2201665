# expect: nothing
"""Wine as it stands, class by class; figures of both parts come from one loop."""
import numpy as np, torch
from torch import nn
from sklearn.datasets import load_wine
torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
order = np.random.default_rng(0).permutation(len(X))
X, y = X[order].astype(np.float32), y[order]
cut = int(0.7 * len(X))
X_train, X_test, y_train, y_test = X[:cut], X[cut:], y[:cut], y[cut:]
mean, std = X_train.mean(0), X_train.std(0)
parts = {"train": ((X_train - mean) / std, y_train), "test": ((X_test - mean) / std, y_test)}
net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
u, v = map(torch.tensor, parts["train"])
for epoch in range(60):
    net.train()
    for i in torch.randperm(len(u)).split(16):
        opt.zero_grad(); loss = nn.functional.cross_entropy(net(u[i]), v[i]); loss.backward(); opt.step()
net.eval()
with torch.no_grad():
    for name, (u, v) in parts.items():
        hit = (net(torch.tensor(u)).argmax(1) == torch.tensor(v)).float().mean()
        print(name, hit.item())
