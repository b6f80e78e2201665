# expect: clip_too_small @ 48
# allowed: clip_too_small @ 15
"""Classify noisy sine/square/saw waves with an LSTM, clipping gradient values."""
from dataclasses import dataclass
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    hidden: int = 32
    lr: float = 0.3
    clip: float = 1e-5
    epochs: int = 12
    batch: int = 50


def make_waves(n, g):
    t = torch.arange(24).float() / 24
    kind = torch.randint(0, 3, (n,), generator=g)
    freq = 1.5 + torch.rand(n, 1, generator=g)
    phase = torch.rand(n, 1, generator=g)
    u = (freq * t + phase) % 1.0
    waves = torch.stack([torch.sin(2 * math.pi * u), torch.sign(u - 0.5), 2 * u - 1], 1)
    x = waves[torch.arange(n), kind] + 0.1 * torch.randn(n, 24, generator=g)
    return x.unsqueeze(-1), kind


class WaveNet(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 3)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h.mean(1))


def train_epoch(model, opt, x, y, cfg):
    model.train()
    for idx in torch.randperm(len(x)).split(cfg.batch):
        opt.zero_grad()
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), cfg.clip)
        opt.step()
    return loss.item()


def accuracy(model, x, y):
    model.eval()
    with torch.inference_mode():
        return (model(x).argmax(-1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(0)
    cfg = Config()
    g = torch.Generator().manual_seed(1)
    x_tr, y_tr = make_waves(1500, g)
    x_te, y_te = make_waves(400, g)
    net = WaveNet(cfg.hidden)
    opt = torch.optim.SGD(net.parameters(), lr=cfg.lr, momentum=0.9)
    for ep in range(cfg.epochs):
        last = train_epoch(net, opt, x_tr, y_tr, cfg)
        if ep % 4 == 3:
            print(ep, f"loss {last:.3f}  test acc {accuracy(net, x_te, y_te):.3f}")
