# expect: nothing
"""WGAN-GP-like: double backward inside, five critic steps, critic frozen for the generator step."""

import torch
from torch import nn

torch.manual_seed(3)
critic = nn.Sequential(nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 1))
gen = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
oc = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
og = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.9))


def data(n):
    return torch.randn(n, 2) * 0.3 + torch.randint(0, 2, (n, 1)) * 2 - 1


def penalty(real, fake):
    mix = torch.lerp(real, fake, torch.rand(len(real), 1)).requires_grad_()
    (g,) = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)
    return ((g.norm(2, dim=1) - 1) ** 2).mean()


for step in range(40):
    for _ in range(5):
        real = data(48)
        with torch.no_grad():
            fake = gen(torch.randn(48, 2))
        loss_c = critic(fake).mean() - critic(real).mean() + 10 * penalty(real, fake)
        oc.zero_grad()
        loss_c.backward()
        oc.step()
    critic.requires_grad_(False)
    loss_g = -critic(gen(torch.randn(48, 2))).mean()
    og.zero_grad()
    loss_g.backward()
    og.step()
    critic.requires_grad_(True)
    if step % 10 == 9:
        print(step + 1, loss_c.item(), loss_g.item())
