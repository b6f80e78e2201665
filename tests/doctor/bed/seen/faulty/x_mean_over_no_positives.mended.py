# expect: nothing
"""Contrastive training of an embedding: pull together pairs of the same class, push others apart."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(6)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
embed = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 8))
optimizer = torch.optim.Adam(embed.parameters(), lr=1e-3)


def contrastive(z, labels, margin=1.0):
    distance = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").clamp_min(1e-6)
    same = labels[:, None] == labels[None]
    upper = torch.triu(torch.ones_like(same), diagonal=1)
    positive = distance[same & upper].pow(2).sum() / (same & upper).sum().clamp_min(1)
    negative = F.relu(margin - distance[~same & upper]).pow(2).mean()
    return positive + negative


for step in range(120):
    rows = torch.randint(len(X), (6,))
    loss = contrastive(embed(X[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:3d} loss {loss.item():.4f}")

with torch.no_grad():
    z = embed(X)
    nearest = (torch.cdist(z[:300], z[300:])).argmin(1)
    print("nearest neighbour accuracy", (y[300:][nearest] == y[:300]).float().mean().item())
