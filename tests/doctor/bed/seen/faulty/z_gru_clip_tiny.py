# expect: clip_too_small @ 41
# allowed: clip_too_small @ 31
"""GRU on noisy sines; clipping set as if it were a learning rate."""

import math

import torch
from torch import nn

torch.manual_seed(5)
phase = torch.rand(400, 1) * 2 * math.pi
freq = 0.2 + 0.2 * torch.rand(400, 1)
t = torch.arange(31)
waves = torch.sin(freq * t + phase) + 0.05 * torch.randn(400, 31)
inputs, nexts = waves[:, :-1, None], waves[:, 1:]


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.gru(x)
        return self.out(h).squeeze(-1)


model = Forecaster()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
MAX_NORM = 2e-5

for epoch in range(5):
    model.train()
    losses = []
    for rows in torch.randperm(320).split(16):
        prediction = model(inputs[rows])
        loss = ((prediction - nexts[rows]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        valid = ((model(inputs[320:]) - nexts[320:]) ** 2).mean().item()
    print(f"epoch {epoch}: train {sum(losses) / len(losses):.4f} valid {valid:.4f}")
