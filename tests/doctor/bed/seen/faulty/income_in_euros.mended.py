# expect: nothing
# mends: income_in_euros.py
"""Loans: income in euros beside rates between 0 and 1, in one logistic regression."""

import torch
from torch import nn

torch.manual_seed(0)
n = 600
income = 20_000 + 60_000 * torch.rand(n)
debt = torch.rand(n)
years = torch.randint(0, 30, (n,)).float()
repaid = (income / 80_000 - 1.2 * debt + years / 60 + 0.1 * torch.randn(n) > 0).float()
x = torch.stack([income / 80_000, debt, years / 30], dim=1)
model = nn.Linear(3, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.5)
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(12):
    total, hits = 0.0, 0
    for idx in torch.randperm(n).split(30):
        logit = model(x[idx]).squeeze(1)
        loss = loss_fn(logit, repaid[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
        hits += ((logit > 0).float() == repaid[idx]).sum().item()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} loss {total / n:.4f} accuracy {hits / n:.3f}")
