# expect: lr_too_low @ 33
"""GRU that tells waves by their frequency; the rate of a fine-tuning recipe from random weights."""

import math

import torch
from torch import nn


class WaveNet(nn.Module):
    def __init__(self, hidden=16, classes=3):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(out[:, -1])


def waves(n):
    label = torch.randint(0, 3, (n,))
    t = torch.arange(16.0)
    phase = 2 * math.pi * torch.rand(n, 1)
    x = torch.sin(0.4 * (label[:, None] + 1) * t + phase) + 0.1 * torch.randn(n, 16)
    return x.unsqueeze(-1), label


torch.manual_seed(0)
x_train, y_train = waves(640)
x_test, y_test = waves(200)
net = WaveNet()
opt = torch.optim.RMSprop(net.parameters(), lr=1e-7)
for epoch in range(10):
    net.train()
    total = 0.0
    for rows in torch.randperm(640).split(32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x_train[rows]), y_train[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()
        total += loss.item() * len(rows)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {total / 640:.5f}")
net.eval()
with torch.no_grad():
    print("accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
