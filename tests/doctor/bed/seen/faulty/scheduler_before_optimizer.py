# expect: scheduler_misuse @ 18
"""The scheduler steps before the optimizer."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.optim.lr_scheduler import StepLR

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X * 20, dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32).unsqueeze(1)
net = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
scheduler = StepLR(optimizer, step_size=3, gamma=0.5)

for epoch in range(9):
    scheduler.step()
    for idx in torch.randperm(len(X)).split(64):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.4f} loss {loss.item():.4f}")
