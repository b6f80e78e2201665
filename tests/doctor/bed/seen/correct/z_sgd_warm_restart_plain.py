# expect: nothing
"""Cosine warm restarts stepped by fractions, plus gradient noise, on a table with integer columns."""

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(2)
torch.manual_seed(2)
counts = rng.poisson(3, size=(800, 6)).astype(np.float32)
flags = rng.integers(0, 2, size=(800, 3)).astype(np.float32)
X = np.hstack([counts, flags])
y = (counts[:, 0] * flags[:, 0] - counts[:, 1] + rng.normal(size=800) > 0).astype(np.int64)
X = torch.from_numpy((X - X[:600].mean(0)) / X[:600].std(0))
y = torch.from_numpy(y)
model = nn.Sequential(nn.Linear(9, 40), nn.ELU(), nn.Linear(40, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, nesterov=True, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=3)
iters = 12
for epoch in range(6):
    model.train()
    for i, rows in enumerate(torch.randperm(600).split(50)):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(X[rows]), y[rows], label_smoothing=0.05)
        loss.backward()
        for p in model.parameters():
            p.grad.add_(torch.randn_like(p.grad), alpha=0.001)
        opt.step()
        sched.step(epoch + (i + 1) / iters)
    model.eval()
    with torch.no_grad():
        acc = (model(X[600:]).argmax(1) == y[600:]).float().mean().item()
    print(epoch, f"{loss.item():.4f}", f"{acc:.4f}", f"{opt.param_groups[0]['lr']:.4f}")
