# expect: scheduler_misuse @ 21
# mend: 21 →
# mend: 27 +             self.sched.step()
"""ExponentialLR with a decay meant for epochs, stepped after every batch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Learner:
    def __init__(self, net, loader):
        self.net, self.loader = net, loader
        self.opt = torch.optim.SGD(net.parameters(), lr=0.1)
        self.sched = torch.optim.lr_scheduler.ExponentialLR(self.opt, gamma=0.8)

    def one_batch(self, xb, yb):
        loss = nn.functional.mse_loss(self.net(xb), yb)
        loss.backward()
        self.opt.step()
        self.sched.step()
        self.opt.zero_grad()
        return loss.item()

    def fit(self, epochs):
        for epoch in range(epochs):
            losses = [self.one_batch(xb, yb) for xb, yb in self.loader]
            print(epoch, sum(losses) / len(losses))


torch.manual_seed(0)
x = torch.randn(320, 3)
y = x.sin().sum(1, keepdim=True)
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
Learner(nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1)), loader).fit(5)
