# expect: nothing
"""A GAN on a spiral; one helper updates either net, and clears only what it has stepped."""
import torch
from torch import nn

torch.manual_seed(2)


def spiral(n):
    t = torch.rand(n) * 9 + 1
    return torch.stack([t * t.cos(), t * t.sin()], dim=1) / 10 + 0.02 * torch.randn(n, 2)


maker = nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 2))
judge = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
optimizers = {m: torch.optim.Adam(m.parameters(), lr=2e-3, betas=(0.5, 0.9)) for m in (maker, judge)}
verdict = nn.BCEWithLogitsLoss()


def update(net, loss):
    optimizers[net].zero_grad()
    loss.backward()
    optimizers[net].step()
    optimizers[net].zero_grad()
    return loss.item()


real, made_up = torch.ones(80, 1), torch.zeros(80, 1)
for step in range(240):
    samples = maker(torch.randn(80, 3))
    d = update(judge, verdict(judge(spiral(80)), real) + verdict(judge(samples.detach()), made_up))
    g = update(maker, verdict(judge(samples), real))
    if step % 60 == 0:
        print(f"{step:3d} judge {d:.3f} maker {g:.3f}")
