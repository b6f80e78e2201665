# expect: nothing
"""Wasserstein GAN on a mixture of two normals, several critic steps per generator step, weights clamped as in the first paper."""
import torch
import torch.nn as nn

CLAMP = 0.1
CRITIC_STEPS = 4
BATCH = 64


def sample_real(n, g):
    side = torch.randint(0, 2, (n, 1), generator=g).float() * 2 - 1
    return side + 0.2 * torch.randn(n, 1, generator=g)


class MLP(nn.Module):
    def __init__(self, n_in, n_out, width=48):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(n_in, width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, n_out),
        )

    def forward(self, x):
        return self.main(x)


def set_requires_grad(net, flag):
    for p in net.parameters():
        p.requires_grad_(flag)


def main(rounds=360):
    torch.manual_seed(3)
    g = torch.Generator().manual_seed(4)
    net_g, net_d = MLP(2, 1), MLP(1, 1)
    opt_g = torch.optim.RMSprop(net_g.parameters(), lr=1e-3)
    opt_d = torch.optim.RMSprop(net_d.parameters(), lr=2e-3)

    for k in range(1, rounds + 1):
        set_requires_grad(net_d, True)
        for _ in range(CRITIC_STEPS):
            with torch.no_grad():
                fake = net_g(torch.randn(BATCH, 2, generator=g))
            real = sample_real(BATCH, g)
            loss_d = net_d(fake).mean() - net_d(real).mean()
            opt_d.zero_grad()
            loss_d.backward()
            opt_d.step()
            with torch.no_grad():
                for p in net_d.parameters():
                    p.clamp_(-CLAMP, CLAMP)

        set_requires_grad(net_d, False)
        loss_g = -net_d(net_g(torch.randn(BATCH, 2, generator=g))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        if k % 60 == 0:
            print(f"round {k:3d}: estimated distance {-loss_d.item():+.4f}")

    net_g.eval()
    with torch.no_grad():
        points = net_g(torch.randn(2000, 2, generator=torch.Generator().manual_seed(5)))
    reference = sample_real(2000, torch.Generator().manual_seed(6))
    distance = (points.sort(0).values - reference.sort(0).values).abs().mean().item()
    print(f"mean {points.mean():+.3f}, spread {points.std():.3f} (real {reference.std():.3f}), share right of 0: {(points > 0).float().mean():.3f}")
    print(f"earth mover's distance to fresh real points {distance:.3f}")


if __name__ == "__main__":
    main()
