# expect: nothing
# looks suspicious: autograd.grad inside the loss, double backward, several critic steps for one generator
# step, a critic without any sigmoid and a negative loss: that is WGAN-GP.
# ruff: noqa: N816
import numpy as np
import torch
import torch.autograd as autograd
import torch.nn as nn

torch.manual_seed(1)
np.random.seed(1)
BATCH, DIM, LAMBDA, CRITIC_ITERS, ITERS = 64, 32, 0.1, 5, 25


def swiss_roll():
    t = 1.5 * np.pi * (1 + 2 * np.random.rand(BATCH))
    data = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 7.5
    return torch.from_numpy(data.astype("float32"))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 2)
        )

    def forward(self, noise):
        return self.main(noise)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 1)
        )

    def forward(self, x):
        return self.main(x).view(-1)


def gradient_penalty(critic, real, fake):
    alpha = torch.rand(BATCH, 1).expand_as(real)
    mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    out = critic(mixed)
    grads = autograd.grad(
        out, mixed, torch.ones_like(out), create_graph=True, retain_graph=True, only_inputs=True
    )[0]
    return ((grads.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


netG, netD = Generator(), Critic()
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))

for it in range(ITERS):
    for p in netD.parameters():
        p.requires_grad = True
    for _ in range(CRITIC_ITERS):
        real = swiss_roll()
        netD.zero_grad()
        with torch.no_grad():
            fake = netG(torch.randn(BATCH, 2))
        d_cost = netD(fake).mean() - netD(real).mean() + gradient_penalty(netD, real, fake)
        d_cost.backward()
        optD.step()

    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    g_cost = -netD(netG(torch.randn(BATCH, 2))).mean()
    g_cost.backward()
    optG.step()
    if it % 5 == 0:
        print(f"iter {it}: critic {d_cost.item():+.4f} generator {g_cost.item():+.4f}")
