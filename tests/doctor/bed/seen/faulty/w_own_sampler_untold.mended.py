# expect: nothing
"""A sampler of one's own, whose order follows from an epoch that nobody tells it."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class Shard(Sampler):
    def __init__(self, n, rank=0, world=1, seed=0):
        self.n, self.rank, self.world, self.seed, self.epoch = n, rank, world, seed, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.n // self.world

    def __iter__(self):
        g = torch.Generator()
        g.manual_seed(self.seed + self.epoch)
        order = torch.randperm(self.n, generator=g)
        return iter(order[self.rank::self.world].tolist())


def run_epoch(net, loader, opt):
    total = 0.0
    for xb, yb in loader:
        loss = nn.functional.mse_loss(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    return total / len(loader)


def main():
    torch.manual_seed(0)
    x = torch.randn(320, 4)
    y = x.sum(1, keepdim=True) + 0.1 * torch.randn(320, 1)
    sampler = Shard(320, seed=7)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, sampler=sampler)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)

    # train

    for epoch in range(8):
        sampler.set_epoch(epoch)
        print(epoch, run_epoch(net, loader, opt))


main()
