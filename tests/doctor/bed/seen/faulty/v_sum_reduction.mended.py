# expect: nothing
"""Conv1d sensor regression with a criterion made from a configuration dataclass."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    lr: float = 0.05
    batch: int = 128
    epochs: int = 12
    reduction: str = "mean"


cfg = Config()
torch.manual_seed(0)
wave = torch.randn(1024, 1, 20)
amp = wave[:, 0, :10].mean(1, keepdim=True) * 3 + wave[:, 0, -1:]
train = DataLoader(TensorDataset(wave[:896], amp[:896]), cfg.batch, shuffle=True)
net = nn.Sequential(nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(160, 32), nn.ReLU(), nn.Linear(32, 1))
criterion = nn.MSELoss(reduction=cfg.reduction)
optimizer = torch.optim.SGD(net.parameters(), lr=cfg.lr)
for epoch in range(cfg.epochs):
    net.train()
    for w, a in train:
        optimizer.zero_grad()
        loss = criterion(net(w), a)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print("test mse", (net(wave[896:]) - amp[896:]).pow(2).mean().item())
