# expect: nothing
"""Wasserstein GAN with gradient penalty: several critic steps, critic frozen in the generator step."""
import torch
from torch import nn

torch.manual_seed(1)


def real(n):
    side = torch.randint(0, 2, (n, 1)) * 4.0 - 2.0
    return torch.cat([side, 0.5 * side], 1) + 0.3 * torch.randn(n, 2)


G = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
C = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.0, 0.9))
opt_c = torch.optim.Adam(C.parameters(), lr=2e-3, betas=(0.0, 0.9))


def penalty(a, b):
    mixing = torch.rand(len(a), 1)
    point = (mixing * a + (1 - mixing) * b).requires_grad_(True)
    (slope,) = torch.autograd.grad(C(point).sum(), point, create_graph=True)
    return (slope.norm(dim=1) - 1).pow(2).mean()


for it in range(300):
    for _ in range(3):
        x = real(64)
        with torch.no_grad():
            fake = G(torch.randn(64, 4))
        critic_loss = C(fake).mean() - C(x).mean() + 5.0 * penalty(x, fake)
        opt_c.zero_grad()
        critic_loss.backward()
        opt_c.step()
    C.requires_grad_(False)
    gen_loss = -C(G(torch.randn(64, 4))).mean()
    opt_g.zero_grad()
    gen_loss.backward()
    opt_g.step()
    C.requires_grad_(True)
    if it % 100 == 99:
        print(f"it {it + 1} critic {critic_loss.item():.3f} generator {gen_loss.item():.3f}")

with torch.no_grad():
    fake = G(torch.randn(1000, 4))
    print("means of both sides", fake[fake[:, 0] > 0].mean(0).tolist(), fake[fake[:, 0] <= 0].mean(0).tolist())
    print(f"share on the right {(fake[:, 0] > 0).float().mean().item():.3f}")
