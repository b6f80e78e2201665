# expect: nothing
"""An autoencoder that finds odd rows: one error for each row, and the first of them shown."""
import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(400, 3) @ torch.randn(3, 6) + 0.05 * torch.randn(400, 6)
odd = torch.randn(40, 6)
ids = [f"row{i}" for i in range(40)]
features = list("abcdef")
net = nn.Sequential(nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 6))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(25):
    for part in torch.randperm(400).split(50):
        opt.zero_grad()
        loss = (net(x[part]) - x[part]).pow(2).mean()
        loss.backward()
        opt.step()
with torch.no_grad():
    normal = (net(x) - x).pow(2).mean(dim=1)
    score = (net(odd) - odd).pow(2).mean(dim=1)
    by_feature = (net(odd) - odd).pow(2).mean(dim=0)
    unexplained = (net(x) - x).pow(2).sum(0)
    r2 = 1 - unexplained / (x - x.mean(0, keepdim=True)).pow(2).sum(0)
    centred = x - x.mean(1, keepdim=True)
    print("row spread", centred.pow(2).sum(1).mean().item())
print("threshold", normal.quantile(0.95).item())
for name, value in zip(ids, score):
    print(name, f"{value.item():.3f}")
for name, value, share in zip(features, by_feature, r2):
    print(name, f"{value.item():.3f} {share.item():.3f}")
for i in range(6):
    print(i, f"{score[i].item():.3f}")
