# expect: nothing
"""Keyword spotting on synthetic pitch tracks: a bidirectional GRU, OneCycle schedule, five commands."""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Cfg:
    classes: int = 5
    frames: int = 24
    per_class: int = 120
    hidden: int = 32
    batch: int = 50
    epochs: int = 10
    max_lr: float = 1e-2


def pitch_tracks(cfg, gen):
    y = torch.arange(cfg.classes).repeat(cfg.per_class)
    t = torch.linspace(0, 1, cfg.frames)
    phase = 2 * math.pi * torch.rand(len(y), 1, generator=gen)
    x = torch.sin(2 * math.pi * (y[:, None] + 1) * t + phase) + 0.3 * torch.randn(len(y), cfg.frames, generator=gen)
    order = torch.randperm(len(y), generator=gen)
    return x[order].unsqueeze(-1), y[order]


class Spotter(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.gru = nn.GRU(1, cfg.hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * cfg.hidden, cfg.classes)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.out(states.mean(dim=1))


def main(cfg=Cfg()):
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(11)
    x, y = pitch_tracks(cfg, gen)
    cut = int(0.8 * len(x))
    xtr, ytr, xte, yte = x[:cut], y[:cut], x[cut:], y[cut:]
    net = Spotter(cfg)
    opt = torch.optim.Adam(net.parameters(), lr=cfg.max_lr)
    steps = math.ceil(cut / cfg.batch)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, cfg.max_lr, epochs=cfg.epochs, steps_per_epoch=steps)
    for epoch in range(cfg.epochs):
        net.train()
        for idx in torch.randperm(cut, generator=gen).split(cfg.batch):
            loss = F.cross_entropy(net(xtr[idx]), ytr[idx])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            sched.step()
        print(f"epoch {epoch + 1:2d} last loss {loss.item():.4f}")
    net.eval()
    with torch.no_grad():
        acc = (net(xte).argmax(dim=1) == yte).float().mean().item()
    print(f"held-out accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
