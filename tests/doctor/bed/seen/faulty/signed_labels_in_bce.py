# expect: bad_label_values @ 16
# allowed: bad_label_values @ 32
"""SVM-style labels -1 and +1 in a logistic loss."""

import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Moons(Dataset):
    def __init__(self, n, seed):
        points, side = make_moons(n, noise=0.2, random_state=seed)
        self.points = torch.tensor(points, dtype=torch.float32)
        self.side = torch.tensor(2 * side - 1, dtype=torch.float32)

    def __len__(self):
        return len(self.side)

    def __getitem__(self, i):
        return self.points[i], self.side[i : i + 1]


torch.manual_seed(0)
loader = DataLoader(Moons(400, 0), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.AdamW(net.parameters(), lr=0.01)
for epoch in range(6):
    total = 0.0
    for points, side in loader:
        loss = F.binary_cross_entropy_with_logits(net(points), side)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(points)
    print(f"epoch {epoch} loss {total / 400:.4f}")
