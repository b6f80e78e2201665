# expect: nothing
# looks suspicious: the target network runs in train mode under no_grad, is in no optimizer and changes by
# hand; its output enters the loss as a constant (BYOL).
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)


def mlp(i, h, o):
    return nn.Sequential(nn.Linear(i, h), nn.BatchNorm1d(h), nn.ReLU(inplace=True), nn.Linear(h, o))


def augment(v):
    return v * (torch.rand_like(v) > 0.2) + 0.1 * torch.randn_like(v)


online = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), mlp(64, 64, 32))
predictor = mlp(32, 32, 32)
target = copy.deepcopy(online)
for p in target.parameters():
    p.requires_grad_(False)
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=2e-3)


def regression_loss(p, z):
    return 2 - 2 * F.cosine_similarity(p, z, dim=-1)


tau = 0.98
for epoch in range(4):
    losses = []
    for rows in torch.randperm(len(x)).split(128):
        a, b = augment(x[rows]), augment(x[rows])
        pa, pb = predictor(online(a)), predictor(online(b))
        with torch.no_grad():
            za, zb = target(a), target(b)
        loss = (regression_loss(pa, zb) + regression_loss(pb, za)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for q, k in zip(online.parameters(), target.parameters(), strict=True):
                k.mul_(tau).add_(q, alpha=1 - tau)
        losses.append(loss.item())
    with torch.no_grad():
        spread = F.normalize(za, dim=1).std(0).mean().item()
    print(f"epoch {epoch} loss {sum(losses) / len(losses):.4f} spread {spread:.4f}")
