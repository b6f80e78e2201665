# expect: nothing
# mends: hand_written_mse.py
"""House prices by a hand-written mean squared error; shapes differ by one axis and nobody says so."""

import torch
from torch import nn

torch.manual_seed(0)
area = torch.rand(300) * 2
rooms = torch.randint(1, 6, (300,)).float() / 3
price = 1.5 * area + 0.8 * rooms + 0.1 * torch.randn(300)
inputs = torch.stack([area, rooms], dim=1)


def mse(prediction, target):
    return ((prediction - target) ** 2).mean()


model = nn.Linear(2, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(10):
    for idx in torch.randperm(300).split(30):
        loss = mse(model(inputs[idx]).squeeze(1), price[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch} mse {loss.item():.4f} weights {model.weight.data.tolist()}")
