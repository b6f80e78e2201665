# expect: nothing
"""A small GAN learns a tilted ellipse of points; generator and discriminator have their own optimizers."""
import math

import torch
from torch import nn


def real_points(n, gen):
    angle = torch.rand(n, generator=gen) * 2 * math.pi
    ring = torch.stack([1.3 * torch.cos(angle), 0.7 * torch.sin(angle)], dim=1)
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    return ring @ turn.T + 0.08 * torch.randn(n, 2, generator=gen)


def mlp(n_in, n_out, width=48):
    return nn.Sequential(
        nn.Linear(n_in, width), nn.LeakyReLU(0.2),
        nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, n_out),
    )


torch.manual_seed(41)
gen = torch.Generator().manual_seed(41)
NOISE, BATCH, STEPS = 4, 128, 900

generator, critic = mlp(NOISE, 2), mlp(2, 1)
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.full((BATCH, 1), 0.9), torch.zeros(BATCH, 1)

history = []
for step in range(1, STEPS + 1):
    real = real_points(BATCH, gen)
    fake = generator(torch.randn(BATCH, NOISE))

    opt_d.zero_grad()
    loss_d = bce(critic(real), ones) + bce(critic(fake.detach()), zeros)
    loss_d.backward()
    opt_d.step()

    opt_g.zero_grad()
    loss_g = bce(critic(fake), torch.ones_like(zeros))
    loss_g.backward()
    opt_g.step()

    history.append((loss_d.item(), loss_g.item()))
    if step % 300 == 0:
        d, g = (sum(column) / 300 for column in zip(*history[-300:]))
        print(f"step {step} critic {d:.3f} generator {g:.3f}")

generator.eval()
with torch.no_grad():
    made = generator(torch.randn(2000, NOISE))
true = real_points(2000, gen)
print("mean", [round(v, 2) for v in made.mean(0).tolist()], "of", [round(v, 2) for v in true.mean(0).tolist()])
for name, pts in (("made", made), ("real", true)):
    print(name, "covariance", [round(v, 2) for v in torch.cov(pts.T).flatten().tolist()])
