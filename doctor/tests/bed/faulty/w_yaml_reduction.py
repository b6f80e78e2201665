# missed: exploding_sum_loss @ 15
# mend: 15 →   reduce: mean
"""House prices, made up, by a net whose loss is described in a small settings text."""
import torch
from torch import nn

SETTINGS = """
optimizer:
  lr: 0.05
  momentum: 0.9
model:
  width: 24
loss:
  smooth: 1.0
  reduce: sum
"""


def read(text):
    found = {}
    for line in text.strip().splitlines():
        key, _, value = line.strip().partition(": ")
        if value:
            try:
                found[key] = float(value)
            except ValueError:
                found[key] = value
    return found


def log_cosh(gap):
    return gap + nn.functional.softplus(-2 * gap) - 0.6931


class Loss:
    def __init__(self, cfg):
        self.smooth, self.reduce = cfg["smooth"], getattr(torch, cfg["reduce"])

    def __call__(self, answer, wanted):
        return self.reduce(self.smooth * log_cosh(answer - wanted))


cfg = read(SETTINGS)
torch.manual_seed(0)
x = torch.randn(600, 6)
y = (x @ torch.tensor([1.0, -0.6, 0.4, 0.0, 0.3, 0.5]) + 0.4 * x[:, 0] * x[:, 1] + 0.1 * torch.randn(600))
y = (y - y[:450].mean()) / y[:450].std()
net = nn.Sequential(nn.Linear(6, int(cfg["width"])), nn.Tanh(), nn.Linear(int(cfg["width"]), 1), nn.Flatten(0))
optimizer = torch.optim.SGD(net.parameters(), lr=cfg["lr"], momentum=cfg["momentum"])
loss_of = Loss(cfg)
for epoch in range(20):
    net.train()
    for rows in torch.randperm(450).split(50):
        loss = loss_of(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print(f"test error {(net(x[450:]) - y[450:]).abs().mean().item():.3f}")
