# expect: nothing
"""LSTM sums marked numbers in a sequence (adding problem) with SGD momentum and a cosine schedule."""
import torch
from torch import nn


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, s):
        return self.fc(self.rnn(s)[0][:, -1]).squeeze(-1)


def sample(n):
    v = torch.rand(n, 8) - 0.5
    m = torch.zeros(n, 8)
    m[torch.arange(n), torch.randint(0, 4, (n,))] = 1
    m[torch.arange(n), torch.randint(4, 8, (n,))] = 1
    return torch.stack([v, m], -1), 2 * (v * m).sum(1)


torch.manual_seed(6)
xs, ys = sample(1600)
xv, yv = sample(400)
net = Adder()
settings = {"lr": 0.1, "momentum": 0.9}
opt = torch.optim.SGD(net.parameters(), **settings)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=20)
for epoch in range(20):
    net.train()
    for idx in torch.randperm(1600).split(32):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(xs[idx]), ys[idx])
        loss.backward()
        opt.step()
    sched.step()
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            print(epoch, loss.item(), "val", nn.functional.mse_loss(net(xv), yv).item())
