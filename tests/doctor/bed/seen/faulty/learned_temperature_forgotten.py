# expect: params_not_in_optimizer @ 14
"""Contrastive pairs with a learned temperature outside the module."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
base = torch.randn(512, 20)
view_a = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 16))
view_b = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 16))
log_scale = nn.Parameter(torch.tensor(1.0))
params = list(view_a.parameters()) + list(view_b.parameters())
opt = torch.optim.Adam(params, lr=3e-3)

for it in range(80):
    rows = base[torch.randperm(512)[:64]]
    za = F.normalize(view_a(rows + 0.1 * torch.randn_like(rows)), dim=1)
    zb = F.normalize(view_b(rows + 0.1 * torch.randn_like(rows)), dim=1)
    logits = log_scale.exp() * za @ zb.T
    labels = torch.arange(64)
    loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 20 == 0:
        print(f"{it} loss {loss.item():.4f} scale {log_scale.exp().item():.3f}")
