# expect: missing_no_grad @ 64
# allowed: missing_no_grad @ 65
# allowed: missing_no_grad @ 66
# allowed: missing_no_grad @ 67
# allowed: missing_no_grad @ 69
# allowed: missing_no_grad @ 72
# allowed: missing_no_grad @ 110
"""A tiny DDPM (epsilon prediction) on 2-D points from two noisy moons."""
import argparse
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons


def sinusoidal(t, dim):
    half = dim // 2
    freqs = torch.exp(-math.log(1000.0) * torch.arange(half) / (half - 1))
    ang = t[:, None].float() * freqs[None]
    return torch.cat([ang.sin(), ang.cos()], dim=1)


class EpsNet(nn.Module):
    def __init__(self, hidden=64, temb=16):
        super().__init__()
        self.temb = temb
        self.time = nn.Sequential(nn.Linear(temb, hidden), nn.SiLU())
        self.inp = nn.Linear(2, hidden)
        self.mid = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(2)])
        self.out = nn.Linear(hidden, 2)

    def forward(self, x, t):
        c = self.time(sinusoidal(t, self.temb))
        h = self.inp(x)
        for layer in self.mid:
            h = h + layer(F.silu(h + c))
        return self.out(F.silu(h))


class Diffusion:
    def __init__(self, model, steps):
        self.model, self.T = model, steps
        self.beta = torch.linspace(1e-3, 0.12, steps)
        self.alpha = 1.0 - self.beta
        self.abar = torch.cumprod(self.alpha, dim=0)

    def q_sample(self, x0, t, noise):
        a = self.abar[t][:, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def loss(self, x0):
        t = torch.randint(0, self.T, (len(x0),))
        noise = torch.randn_like(x0)
        return F.mse_loss(self.model(self.q_sample(x0, t, noise), t), noise)

    @torch.no_grad()
    def validate(self, x0, repeats=4):
        self.model.eval()
        return sum(self.loss(x0).item() for _ in range(repeats)) / repeats

    def sample(self, n):
        self.model.eval()
        x = torch.randn(n, 2)
        for i in reversed(range(self.T)):
            t = torch.full((n,), i, dtype=torch.long)
            eps = self.model(x, t)
            mean = (x - self.beta[i] / (1 - self.abar[i]).sqrt() * eps) / self.alpha[i].sqrt()
            x = mean + self.beta[i].sqrt() * torch.randn_like(x) if i > 0 else mean
        return x


def energy_distance(a, b):
    """0 when both clouds come from one distribution"""
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=12)
    p.add_argument("--steps", type=int, default=40)
    p.add_argument("--batch-size", type=int, default=128)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--sample-every", type=int, default=4)
    args = p.parse_args()

    torch.manual_seed(0)
    pts = torch.tensor(make_moons(2500, noise=0.06, random_state=0)[0], dtype=torch.float32)
    train, val = pts[:2000], pts[2000:]
    center, scale = train.mean(0), train.std(0)
    train, val = (train - center) / scale, (val - center) / scale

    model = EpsNet()
    diff = Diffusion(model, args.steps)
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(train)).split(args.batch_size):
            loss = diff.loss(train[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        line = f"epoch {epoch:2d}  train {total / len(train):.4f}  val {diff.validate(val):.4f}"
        if epoch % args.sample_every == 0:
            start = time.time()
            gen = diff.sample(400)
            line += f"  energy distance {energy_distance(gen, val):.4f}  ({time.time() - start:.2f}s)"
        print(line)


if __name__ == "__main__":
    main()
