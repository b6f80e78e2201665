# expect: non_finite_loss @ 25
"""Cosine similarity to a learned direction, sharpened by a temperature; log(0) is not guarded."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
x = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
t = torch.tensor(y, dtype=torch.float32)
embed = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 8))
direction = nn.Parameter(torch.randn(8))
opt = torch.optim.Adam([*embed.parameters(), direction], lr=2e-3)
temperature = 0.03


def score(rows):
    return torch.cosine_similarity(embed(rows), direction[None], dim=1) / temperature


def bce(logit, target):
    p = torch.sigmoid(logit)
    return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()


for epoch in range(6):
    for idx in torch.randperm(len(x)).split(32):
        loss = bce(score(x[idx]), t[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
