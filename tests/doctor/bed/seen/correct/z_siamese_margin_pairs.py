# expect: nothing
"""Siamese net with a margin loss on pairs drawn from the training rows; nearest neighbour test."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(2)
X, y = load_digits(return_X_y=True)
a, b, ya, yb = train_test_split(X / 16, y, test_size=0.3, random_state=0, stratify=y)
a, b = torch.tensor(a).float(), torch.tensor(b).float()
ya, yb = torch.tensor(ya), torch.tensor(yb)
tower = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 16))
opt = torch.optim.Adam(tower.parameters(), lr=1e-3)
margin = 1.0
for _step in range(150):
    tower.train()
    i, j = torch.randint(0, len(a), (2, 128))
    same = (ya[i] == ya[j]).float()
    d = F.pairwise_distance(tower(a[i]), tower(a[j]))
    weight = torch.where(same > 0, 0.9, 0.1)
    loss = (weight * (same * d**2 + (1 - same) * F.relu(margin - d) ** 2)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
tower.eval()
with torch.no_grad():
    near = torch.cdist(tower(b), tower(a)).argmin(1)
print("1-NN accuracy", (ya[near] == yb).float().mean().item())
