# expect: nothing
# looks suspicious: last layers start at zero (the flow begins as the identity), exp() without a bound on
# purpose made tame by tanh, and the loss is a sum of logs that may fall below zero.
import math

import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
data, _ = make_moons(1200, noise=0.06, random_state=0)
data = torch.tensor(data, dtype=torch.float32)
data = (data - data[:1000].mean(0)) / data[:1000].std(0)


class Coupling(nn.Module):
    def __init__(self, flip, hidden=48):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(
            nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)
        )
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x):
        a, b = x.chunk(2, 1)
        if self.flip:
            a, b = b, a
        log_s, t = self.net(a).chunk(2, 1)
        log_s = torch.tanh(log_s)
        b = b * log_s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), log_s.sum(1)


flow = nn.ModuleList(Coupling(bool(i % 2)) for i in range(6))


def nll(x):
    total = 0.0
    for layer in flow:
        x, log_det = layer(x)
        total = total + log_det
    log_prior = -0.5 * x.square().sum(1) - math.log(2 * math.pi)
    return -(log_prior + total).mean()


opt = torch.optim.Adam(flow.parameters(), lr=5e-3)
for epoch in range(12):
    for rows in torch.randperm(1000).split(100):
        opt.zero_grad()
        loss = nll(data[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        opt.step()
    if epoch % 3 == 2:
        with torch.no_grad():
            print(f"epoch {epoch} train {loss.item():.4f} held out {nll(data[1000:]).item():.4f}")
