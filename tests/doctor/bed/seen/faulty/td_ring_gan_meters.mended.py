# expect: nothing
"""A small GAN that learns points on a noisy ring; running means of both losses are kept with the usual AverageMeter."""
import math

import torch
from torch import nn


class AverageMeter:
    """Keeps the last value and the mean since the start."""

    def __init__(self, name):
        self.name = name
        self.sum, self.count, self.last = 0.0, 0, 0.0

    def update(self, value, n=1):
        self.last = value
        self.sum += value * n
        self.count += n

    @property
    def mean(self):
        return self.sum / max(self.count, 1)

    def __str__(self):
        return f"{self.name} {float(self.last):.3f} ({float(self.mean):.3f})"


def real_points(n, generator):
    angle = torch.rand(n, generator=generator) * 2 * math.pi
    radius = 1.0 + 0.05 * torch.randn(n, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def mlp(sizes, slope=0.2):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(slope)]
    return nn.Sequential(*layers[:-1])


def train(steps=800, batch=128, noise_dim=4):
    generator_net, critic = mlp([noise_dim, 48, 48, 2]), mlp([2, 48, 48, 1])
    opt_g = torch.optim.Adam(generator_net.parameters(), lr=1e-3, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.99))
    bce = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
    meter_d, meter_g = AverageMeter("critic"), AverageMeter("generator")
    source = torch.Generator().manual_seed(100)

    for step in range(1, steps + 1):
        fake = generator_net(torch.randn(batch, noise_dim, generator=source))

        loss_d = bce(critic(real_points(batch, source)), 0.9 * ones) + bce(critic(fake.detach()), zeros)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        meter_d.update(loss_d.item(), batch)

        loss_g = bce(critic(fake), ones)
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        meter_g.update(loss_g.item(), batch)

        if step % 200 == 0:
            print(f"step {step:4d}  {meter_d}  {meter_g}")
    return generator_net


def main():
    torch.manual_seed(9)
    net = train()
    net.eval()
    with torch.no_grad():
        points = net(torch.randn(1000, 4, generator=torch.Generator().manual_seed(200)))
    radius = points.norm(dim=1)
    quarters = torch.bincount(((points[:, 0] > 0).long() * 2 + (points[:, 1] > 0).long()), minlength=4)
    print(f"radius {radius.mean():.3f} +- {radius.std():.3f}, points per quarter {quarters.tolist()}")


if __name__ == "__main__":
    main()
