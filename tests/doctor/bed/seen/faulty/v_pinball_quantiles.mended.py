# expect: nothing
"""Quantile regression with three heads and a hand-written pinball loss."""
import torch
from torch import nn

torch.manual_seed(31)
QUANTILES = (0.1, 0.5, 0.9)


def noisy_sine(n):
    x = torch.rand(n, 1) * 4 - 2
    y = torch.sin(2 * x[:, 0]) + (0.1 + 0.2 * x[:, 0].abs()) * torch.randn(n)
    return x, y


class QuantileNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.heads = nn.ModuleList(nn.Linear(hidden, 1) for _ in QUANTILES)

    def forward(self, x):
        h = self.trunk(x)
        return [head(h).squeeze(-1) for head in self.heads]


def pinball(pred, target, q):
    err = target - pred
    return torch.maximum(q * err, (q - 1) * err).mean()


x_train, y_train = noisy_sine(1000)
x_test, y_test = noisy_sine(500)
net = QuantileNet()
opt = torch.optim.Adam(net.parameters(), lr=6e-3)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.96)

for epoch in range(40):
    net.train()
    for idx in torch.randperm(len(x_train)).split(50):
        xb, yb = x_train[idx], y_train[idx]
        loss = sum(pinball(p, yb, q) for p, q in zip(net(xb), QUANTILES))
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} pinball {loss.item():.4f}")

net.eval()
with torch.no_grad():
    lo, mid, hi = [p.flatten() for p in net(x_test)]
    coverage = ((y_test >= lo) & (y_test <= hi)).float().mean().item()
    print(f"coverage {coverage:.3f} width {(hi - lo).mean().item():.3f} "
          f"median abs err {(mid - y_test).abs().mean().item():.3f}")
