# expect: nothing
# mends: accumulation_longer_than_epoch.py
"""Accumulation where the last incomplete group is thrown away at each epoch's start."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
loader = DataLoader(TensorDataset(x, torch.tensor(wine.target)), batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.AdamW(net.parameters(), lr=0.02)
criterion = nn.CrossEntropyLoss()
accum = 3

for epoch in range(10):
    opt.zero_grad()
    running = 0.0
    for i, (xb, yb) in enumerate(loader, start=1):
        loss = criterion(net(xb), yb) / accum
        loss.backward()
        running += loss.item() * accum
        if i % accum == 0:
            opt.step()
            opt.zero_grad()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {running / len(loader):.4f}")
