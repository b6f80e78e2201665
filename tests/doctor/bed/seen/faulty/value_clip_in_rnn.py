# expect: clip_too_small @ 35
"""An adding problem for a GRU with a value clip copied with too many zeros."""

import torch
from torch import nn

torch.manual_seed(0)


def batch(n, length=8):
    values = torch.rand(n, length)
    marks = torch.zeros(n, length)
    marks[:, 1] = 1
    marks[:, 5] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(1)


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 24, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        return self.out(self.gru(x)[1][-1]).squeeze(1)


model = Adder()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for it in range(150):
    x, y = batch(64)
    loss = ((model(x) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), 1e-6)
    optimizer.step()
    if it % 30 == 0:
        print(f"{it:3d} {loss.item():.4f}")
