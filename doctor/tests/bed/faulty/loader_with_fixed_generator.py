# expect: seed_reset_each_epoch @ 16
# mend: 16 →     generator.manual_seed(42 + epoch)
"""A new loader with the same generator seed is made in every epoch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(300, 5)
ds = TensorDataset(x, (x.sum(1) > 0).long())
net = nn.Linear(5, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(6):
    generator = torch.Generator()
    generator.manual_seed(42)
    loader = DataLoader(ds, batch_size=30, shuffle=True, generator=generator)
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
