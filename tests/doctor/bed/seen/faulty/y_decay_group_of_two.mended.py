# expect: nothing
"""Decay for matrices, none for biases, as in the language models; but the decay is 2."""

import torch
from torch import nn

torch.manual_seed(0)
n = 1000
x = torch.randn(n, 12)
y = (2 * torch.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] + 0.1 * torch.randn(n)).unsqueeze(1)
x_train, y_train, x_val, y_val = x[:800], y[:800], x[800:], y[800:]
net = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))

matrices = [p for p in net.parameters() if p.dim() >= 2]
vectors = [p for p in net.parameters() if p.dim() < 2]
optim_groups = [
    {"params": matrices, "weight_decay": 1e-4},
    {"params": vectors, "weight_decay": 0.0},
]
optimizer = torch.optim.SGD(optim_groups, lr=0.05, momentum=0.9)
mse = nn.MSELoss()

for epoch in range(15):
    net.train()
    for rows in torch.randperm(800).split(40):
        optimizer.zero_grad(set_to_none=True)
        loss = mse(net(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            train_mse, val_mse = mse(net(x_train), y_train).item(), mse(net(x_val), y_val).item()
        print(f"epoch {epoch + 1}: train {train_mse:.3f} val {val_mse:.3f} variance {y_train.var():.3f}")
