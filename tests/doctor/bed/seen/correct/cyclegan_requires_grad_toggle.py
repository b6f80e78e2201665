# expect: nothing
# looks suspicious: discriminators' requires_grad is switched off and on each turn, their optimizers hold
# them all the time, fakes come from a buffer of earlier fakes, and 0.5 scales the loss (pix2pix and
# CycleGAN style).
import itertools
import random

import torch
from torch import nn

torch.manual_seed(0)
random.seed(0)


class ImagePool:
    def __init__(self, size):
        self.size, self.items = size, []

    def query(self, batch):
        out = []
        for row in batch.detach():
            if len(self.items) < self.size:
                self.items.append(row)
                out.append(row)
            elif random.random() > 0.5:
                k = random.randrange(self.size)
                out.append(self.items[k])
                self.items[k] = row
            else:
                out.append(row)
        return torch.stack(out)


def mlp(o):
    return nn.Sequential(
        nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, o)
    )


def set_requires_grad(nets, flag):
    for net in nets:
        for p in net.parameters():
            p.requires_grad = flag


G_ab, G_ba, D_a, D_b = mlp(2), mlp(2), mlp(1), mlp(1)
opt_g = torch.optim.Adam(itertools.chain(G_ab.parameters(), G_ba.parameters()), lr=2e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(itertools.chain(D_a.parameters(), D_b.parameters()), lr=1e-3, betas=(0.5, 0.999))
pool_a, pool_b = ImagePool(100), ImagePool(100)
mse, l1 = nn.MSELoss(), nn.L1Loss()


def gan_loss(pred, real):
    return mse(pred, torch.full_like(pred, float(real)))


for it in range(120):
    a = torch.randn(64, 2) * torch.tensor([1.0, 0.3])
    b = torch.randn(64, 2) * torch.tensor([0.3, 1.0]) + 0.5
    set_requires_grad([D_a, D_b], False)
    opt_g.zero_grad()
    fake_b, fake_a = G_ab(a), G_ba(b)
    cycle = l1(G_ba(fake_b), a) + l1(G_ab(fake_a), b)
    loss_g = gan_loss(D_b(fake_b), True) + gan_loss(D_a(fake_a), True) + 5 * cycle
    loss_g.backward()
    opt_g.step()

    set_requires_grad([D_a, D_b], True)
    opt_d.zero_grad()
    for net, real, fake in ((D_a, a, pool_a.query(fake_a)), (D_b, b, pool_b.query(fake_b))):
        loss_d = 0.5 * (gan_loss(net(real), True) + gan_loss(net(fake), False))
        loss_d.backward()
    opt_d.step()
    if it % 30 == 0:
        print(f"{it:4d} G {loss_g.item():.4f} cycle {cycle.item():.4f} D {loss_d.item():.4f}")
