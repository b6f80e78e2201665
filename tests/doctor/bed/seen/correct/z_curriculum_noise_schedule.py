# expect: nothing
"""Denoising score matching at random noise levels, EMA weights for sampling, no test set at all."""

import copy

import torch
from torch import nn

torch.manual_seed(9)
angle = torch.rand(1000) * 6.2832
data = torch.stack([angle.cos(), angle.sin()], 1)


class Score(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x, sigma):
        return self.net(torch.cat([x, sigma.log()], 1)) / sigma


model = Score()
ema = copy.deepcopy(model).requires_grad_(False)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(200):
    x = data[torch.randint(0, 1000, (128,))]
    sigma = torch.exp(torch.rand(128, 1) * 4 - 4)
    noise = torch.randn_like(x)
    loss = ((model(x + sigma * noise, sigma) * sigma + noise) ** 2).sum(1).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    for e, p in zip(ema.parameters(), model.parameters(), strict=False):
        e.mul_(0.98).add_(p.detach(), alpha=0.02)
    if step % 50 == 49:
        print(step + 1, loss.item())
x = torch.randn(200, 2)
with torch.no_grad():
    for s in torch.linspace(0, -4, 20).exp():
        x = x + 0.5 * s**2 * ema(x, s.expand(200, 1)) + 0.3 * s * torch.randn_like(x)
print("radius", x.norm(dim=1).mean().item())
