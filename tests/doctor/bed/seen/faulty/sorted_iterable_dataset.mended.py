# expect: nothing
# mends: sorted_iterable_dataset.py
"""An IterableDataset streams files, one per class; binary with float targets."""

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

torch.manual_seed(0)


class Files(IterableDataset):
    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        yield from self.rows


negative = torch.randn(320, 6) - 0.4
positive = torch.randn(320, 6) + 0.4
rows = [(x, torch.zeros(1)) for x in negative] + [(x, torch.ones(1)) for x in positive]
rows = [rows[i] for i in torch.randperm(640)]
loader = DataLoader(Files(rows), batch_size=16)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(5):
    total = 0.0
    for x, y in loader:
        opt.zero_grad()
        loss = loss_fn(net(x), y)
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch} {total / 40:.3f}")
