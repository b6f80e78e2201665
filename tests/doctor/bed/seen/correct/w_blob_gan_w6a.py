# expect: nothing
"""GAN that learns a two-dimensional mixture, written as two plain functions."""
import torch
import torch.nn.functional as F
from torch import nn

LATENT, BATCH, STEPS = 4, 128, 450


def sample_real(n, gen):
    """Two moons, centred and scaled by constants known from the formula."""
    t = torch.rand(n, generator=gen) * torch.pi
    side = torch.randint(0, 2, (n,), generator=gen).bool()
    x = torch.where(side, 1 - t.cos(), t.cos()) - 0.5
    y = torch.where(side, 0.5 - t.sin(), t.sin()) - 0.25
    return torch.stack([x, y], dim=1) / 0.8 + 0.05 * torch.randn(n, 2, generator=gen)


def net(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, n_out))


def critic_step(generator, critic, optimizer, real, noise):
    with torch.no_grad():
        fake = generator(noise)
    logits = critic(torch.cat([real, fake]))
    labels = torch.cat([torch.full((len(real), 1), 0.9), torch.zeros(len(fake), 1)])
    loss = F.binary_cross_entropy_with_logits(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def generator_step(generator, critic, optimizer, noise):
    logits = critic(generator(noise))
    loss = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def distance(generator, n=1000):
    """Energy distance between made and real points."""
    gen = torch.Generator().manual_seed(1234)
    real = sample_real(n, gen)
    fake = generator(torch.randn(n, LATENT, generator=gen))
    cross = torch.cdist(real, fake).mean()
    inside = torch.cdist(real, real).mean() + torch.cdist(fake, fake).mean()
    return (2 * cross - inside).item()


def main():
    torch.manual_seed(7)
    gen = torch.Generator().manual_seed(70)
    generator, critic = net(LATENT, 2), net(2, 1)
    opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_c = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.999))
    print(f"before: distance {distance(generator):.4f}")
    for step in range(1, STEPS + 1):
        real = sample_real(BATCH, gen)
        c = critic_step(generator, critic, opt_c, real, torch.randn(BATCH, LATENT, generator=gen))
        g = generator_step(generator, critic, opt_g, torch.randn(BATCH, LATENT, generator=gen))
        if step % 150 == 0:
            print(f"step {step:3d}  critic {c:.3f}  generator {g:.3f}  distance {distance(generator):.4f}")


if __name__ == "__main__":
    main()
