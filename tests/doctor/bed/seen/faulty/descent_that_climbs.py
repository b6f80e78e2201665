# expect: lr_too_high @ 12
# allowed: lr_too_high @ 18
"""Least squares by momentum SGD with a rate that makes every step overshoot."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(256, 5)
y = x @ torch.tensor([[1.0], [-2.0], [0.5], [0.0], [3.0]]) + 0.1 * torch.randn(256, 1)
config = {
    "lr": 0.9,
    "momentum": 0.9,
    "batch_size": 32,
    "epochs": 4,
}
model = nn.Linear(5, 1)
opt = torch.optim.SGD(model.parameters(), lr=config["lr"], momentum=config["momentum"])
for epoch in range(config["epochs"]):
    for rows in torch.randperm(256).split(config["batch_size"]):
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4g}")
