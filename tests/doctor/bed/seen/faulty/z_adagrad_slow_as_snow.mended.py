# expect: nothing
# mends: z_adagrad_slow_as_snow.py
"""Collaborative filtering with a rate that a colleague used for fine-tuning."""

import torch
from torch import nn

torch.manual_seed(22)
users, items, k = 60, 40, 6
truth = torch.randn(users, 3) @ torch.randn(3, items)
u, i = torch.randint(0, users, (3000,)), torch.randint(0, items, (3000,))
r = truth[u, i] + 0.2 * torch.randn(3000)


class Factors(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(users, k)
        self.item = nn.Embedding(items, k)
        self.mix = nn.Sequential(nn.Linear(2 * k, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, u, i):
        return self.mix(torch.cat([self.user(u), self.item(i)], dim=-1)).squeeze(-1)


model = Factors()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.MSELoss()
for epoch in range(10):
    total = 0.0
    for b in torch.randperm(2500).split(100):
        loss = loss_fn(model(u[b], i[b]), r[b])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(b)
    with torch.no_grad():
        held = loss_fn(model(u[2500:], i[2500:]), r[2500:]).item()
    print(f"epoch {epoch} {total / 2500:.4f} {held:.4f}")
