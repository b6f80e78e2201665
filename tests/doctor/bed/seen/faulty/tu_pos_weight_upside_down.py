# expect: class_imbalance @ 12
"""Rare faults of a pump."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
g = torch.Generator().manual_seed(5)
x = torch.randn(3000, 8, generator=g)
score = x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * torch.randn(3000, generator=g)
y = (score > score.quantile(0.88)).float()
torch.manual_seed(5)
n_pos, n_neg = y[:2400].sum(), (1 - y[:2400]).sum()
criterion = nn.BCEWithLogitsLoss(pos_weight=n_pos / n_neg)
net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(12):
    for a, b in DataLoader(TensorDataset(x[:2400], y[:2400]), 64, shuffle=True):
        loss = criterion(net(a).squeeze(1), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
with torch.no_grad():
    said = (net(x[2400:]).squeeze(1) > 0).float()
print("recall", (said * y[2400:]).sum().item() / y[2400:].sum().item())
