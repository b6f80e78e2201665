# expect: dead_relu @ 17
# mend: 17 →
"""Temperatures below zero by a net that ends in ReLU: it can only say 0."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(400, 3)
celsius = -5 - 3 * x[:, :1] - 2 * x[:, 1:2] * x[:, 2:] + 0.1 * torch.randn(400, 1)
loader = DataLoader(TensorDataset(x, celsius), batch_size=40, shuffle=True)
model = nn.Sequential(
    nn.Linear(3, 24),
    nn.ReLU(),
    nn.Linear(24, 1),
    nn.ReLU(),
)
opt = torch.optim.Adam(model.parameters(), lr=0.02)
loss_fn = nn.MSELoss()
for epoch in range(8):
    for xb, yb in loader:
        out = model(xb)
        loss = loss_fn(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f} mean prediction {out.mean().item():.3f}")
