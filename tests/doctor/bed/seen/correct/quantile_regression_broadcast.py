# expect: nothing
# looks suspicious: predictions [B, 3] meet targets [B, 1] and broadcast: each column is another quantile of
# the same target (pinball loss).
import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
ds = load_diabetes()
perm = torch.randperm(442)
tr, te = perm[:342], perm[342:]
X = torch.tensor(ds.data, dtype=torch.float32)
X = (X - X[tr].mean(0)) / X[tr].std(0)
y = torch.tensor(ds.target, dtype=torch.float32).unsqueeze(1)
mean, std = y[tr].mean(), y[tr].std()
y = (y - mean) / std
quantiles = torch.tensor([0.1, 0.5, 0.9])


def pinball(pred, target):
    error = target - pred
    return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()


net = nn.Sequential(nn.Linear(10, 16), nn.ELU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-3)
for epoch in range(15):
    for rows in tr[torch.randperm(len(tr))].split(38):
        opt.zero_grad()
        loss = pinball(net(X[rows]), y[rows])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch} pinball {loss.item():.4f}")
with torch.no_grad():
    pred = net(X[te])
    inside = ((y[te] > pred[:, :1]) & (y[te] < pred[:, 2:])).float().mean().item()
    print(f"test pinball {pinball(pred, y[te]).item():.4f}, inside the 80 % band: {inside:.3f}")
