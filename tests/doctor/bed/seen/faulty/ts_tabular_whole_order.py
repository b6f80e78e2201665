# expect: test_in_train @ 20
"""Tabular net: two categories and five numbers."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
torch.manual_seed(0)
n = 1200
cats = torch.tensor(np.stack([rng.integers(0, 6, n), rng.integers(0, 3, n)], axis=1))
nums = torch.tensor(rng.normal(0, 1, (n, 5)), dtype=torch.float32)
effect = torch.tensor(rng.normal(0, 1, 6), dtype=torch.float32)
logit = nums @ torch.tensor([1.0, -0.5, 0.3, 0.0, 0.8]) + effect[cats[:, 0]] * (cats[:, 1] == 1)
label = (logit + 0.3 * torch.randn(n) > 0).float()
order = torch.randperm(n)
fit, check = order[:900], order[900:]


train = TensorDataset(cats[order], nums[order], label[order])
held = TensorDataset(cats[check], nums[check], label[check])
train_loader = DataLoader(train, batch_size=64, shuffle=True)
test_loader = DataLoader(held, batch_size=300)


class Tabular(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(6, 4), nn.Embedding(3, 2)])
        self.body = nn.Sequential(nn.Linear(11, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x_cat, x_num):
        parts = [table(x_cat[:, i]) for i, table in enumerate(self.tables)]
        return self.body(torch.cat([*parts, x_num], dim=1)).squeeze(1)


net = Tabular()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
bce = nn.BCEWithLogitsLoss()
for epoch in range(8):
    net.train()
    for c, x, y in train_loader:
        opt.zero_grad()
        loss = bce(net(c, x), y)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        right = sum(((net(c, x) > 0).float() == y).sum().item() for c, x, y in test_loader)
    print(epoch, round(loss.item(), 3), right / len(held))
