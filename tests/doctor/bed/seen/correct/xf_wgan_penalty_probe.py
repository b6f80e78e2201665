# expect: nothing
"""WGAN-GP in one dimension plus a robustness probe that really needs input gradients."""
import torch
from torch import nn


def mlp(d_in, d_out, width=64):
    return nn.Sequential(
        nn.Linear(d_in, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, d_out)
    )


def target(n):
    side = torch.where(torch.rand(n, 1) < 0.4, -1.2, 0.9)
    return side + 0.25 * torch.randn(n, 1)


def penalty(critic, real, fake):
    mix = torch.rand(len(real), 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    slope, = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slope.norm(dim=1) - 1) ** 2).mean()


def wasserstein(a, b):
    return (a.flatten().sort().values - b.flatten().sort().values).abs().mean().item()


def sensitivity(critic, points, radius=0.1):
    """How far the critic's score falls under the worst step of size radius (needs d score / d x)."""
    critic.eval()
    p = points.clone().requires_grad_(True)
    before = critic(p)
    grad, = torch.autograd.grad(before.sum(), p)
    with torch.no_grad():
        after = critic(points - radius * grad.sign())
    return (before.detach() - after).mean().item()


class Game:
    def __init__(self, noise=3, inner=5):
        self.noise, self.inner = noise, inner
        self.gen, self.critic = mlp(noise, 1), mlp(1, 1)
        self.opt = {
            "gen": torch.optim.Adam(self.gen.parameters(), lr=5e-4, betas=(0.5, 0.9)),
            "critic": torch.optim.Adam(self.critic.parameters(), lr=2e-3, betas=(0.5, 0.9)),
        }
        self.gap = None

    def play(self, batch=96):
        self.gen.train()
        self.critic.train()
        for _ in range(self.inner):
            real = target(batch)
            fake = self.gen(torch.randn(batch, self.noise)).detach()
            gap = self.critic(real).mean() - self.critic(fake).mean()
            loss = -gap + 1.0 * penalty(self.critic, real, fake)
            self.opt["critic"].zero_grad()
            loss.backward()
            self.opt["critic"].step()
            now = gap.detach()
            self.gap = now if self.gap is None else 0.95 * self.gap + 0.05 * now
        self.opt["gen"].zero_grad()
        (-self.critic(self.gen(torch.randn(batch, self.noise))).mean()).backward()
        self.opt["gen"].step()

    @torch.no_grad()
    def draw(self, n):
        self.gen.eval()
        return self.gen(torch.randn(n, self.noise))


if __name__ == "__main__":
    torch.manual_seed(27)
    game = Game()
    fresh = target(2000)
    print(f"round   0  W1 {wasserstein(game.draw(2000), fresh):.4f}")
    for r in range(1, 321):
        game.play()
        if r % 80 == 0:
            w = wasserstein(game.draw(2000), fresh)
            s = sensitivity(game.critic, fresh)
            print(f"round {r:3d}  W1 {w:.4f}  critic gap {game.gap.item():.3f}  sensitivity {s:.3f}")
