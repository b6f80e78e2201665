# expect: params_not_in_optimizer @ 43
# allowed: params_not_in_optimizer @ 32
"""Mixture of two experts kept in a plain dict."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    width: int = 24
    lr: float = 5e-3
    epochs: int = 6
    batch: int = 64


cfg = Config()
torch.manual_seed(0)
x = torch.rand(768, 2) * 4 - 2
y = torch.where(x[:, :1] > 0, x.sum(1, keepdim=True).sin(), x.prod(1, keepdim=True))


class Mixture(nn.Module):
    def __init__(self, width):
        super().__init__()
        experts = {
            "left": nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1)),
            "right": nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1)),
        }
        self.experts = experts
        self.gate = nn.Linear(2, 2)

    def forward(self, inputs):
        g = self.gate(inputs).softmax(-1)
        outs = torch.cat([e(inputs) for e in self.experts.values()], dim=1)
        return (g * outs).sum(1, keepdim=True)


def main():
    model = Mixture(cfg.width)
    optim = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        order = torch.randperm(640)
        for i in range(0, 640, cfg.batch):
            b = order[i : i + cfg.batch]
            loss = nn.functional.mse_loss(model(x[b]), y[b])
            optim.zero_grad()
            loss.backward()
            optim.step()
        with torch.no_grad():
            print(epoch, nn.functional.mse_loss(model(x[640:]), y[640:]).item())


if __name__ == "__main__":
    main()
