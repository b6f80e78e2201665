# expect: detached_graph @ 28
# allowed: detached_graph @ 27
"""Encoder-decoder LSTM that learns to output the running sum of a sequence summary."""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Cfg:
    steps: int = 150
    hidden: int = 32
    lr: float = 5e-3
    horizon: int = 4


class Seq2Seq(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.encoder = nn.LSTM(1, cfg.hidden, batch_first=True)
        self.decoder = nn.LSTMCell(1, cfg.hidden)
        self.out = nn.Linear(cfg.hidden, 1)

    def forward(self, src):
        _, (h, c) = self.encoder(src)
        h, c = h[0].detach(), c[0].detach()
        step, ys = src[:, -1], []
        for _ in range(self.cfg.horizon):
            h, c = self.decoder(step, (h, c))
            step = self.out(h)
            ys.append(step)
        return torch.cat(ys, dim=1)


def batch(n, cfg, g):
    src = torch.rand(n, 10, 1, generator=g) - 0.5
    k = torch.arange(1, cfg.horizon + 1) / cfg.horizon
    return src, src[:, :5].sum(1) * k


cfg = Cfg()
torch.manual_seed(0)
g = torch.Generator().manual_seed(9)
net = Seq2Seq(cfg)
opt = torch.optim.Adam(net.parameters(), lr=cfg.lr)
for step in range(cfg.steps):
    net.train()
    src, tgt = batch(64, cfg, g)
    loss = nn.functional.mse_loss(net(src), tgt)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if step % 50 == 49:
        print(step, loss.item())
net.eval()
with torch.no_grad():
    src, tgt = batch(300, cfg, g)
    print("test mse", nn.functional.mse_loss(net(src), tgt).item())
