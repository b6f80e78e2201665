# expect: class_imbalance @ 22
# allowed: class_imbalance @ 24
# allowed: class_imbalance @ 27
# allowed: class_imbalance @ 29
# allowed: class_imbalance @ 35
"""Alarm detection: about four percent of the records are alarms."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(10)


def records(n):
    y = (torch.rand(n) < 0.04).float()
    return torch.randn(n, 8) + 0.55 * y[:, None], y


xt, yt = records(2500)
xv, yv = records(1500)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loader = DataLoader(TensorDataset(xt, yt), batch_size=64, shuffle=True)
for epoch in range(8):
    model.train()
    for a, b in loader:
        opt.zero_grad()
        loss = loss_fn(model(a).squeeze(1), b)
        loss.backward()
        opt.step()
model.eval()
with torch.no_grad():
    hit = (model(xv).squeeze(1) > 0).float()
print("accuracy", (hit == yv).float().mean().item())
print("recall alarm", hit[yv == 1].mean().item(), "recall normal", (1 - hit[yv == 0]).mean().item()) 
