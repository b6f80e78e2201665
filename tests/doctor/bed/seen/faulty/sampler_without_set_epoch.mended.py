# expect: nothing
# mends: sampler_without_set_epoch.py
"""A sampler of one's own seeds by its epoch, which nobody ever sets."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class SeededSampler(Sampler):
    def __init__(self, n, seed=0):
        self.n, self.seed, self.epoch = n, seed, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.n

    def __iter__(self):
        g = torch.Generator()
        g.manual_seed(self.seed + self.epoch)
        return iter(torch.randperm(self.n, generator=g).tolist())


torch.manual_seed(0)
x = torch.randn(200, 4)
sampler = SeededSampler(200)
loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=20, sampler=sampler)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(5):
    sampler.set_epoch(epoch)
    for xb, yb in loader:
        loss = nn.functional.mse_loss(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
