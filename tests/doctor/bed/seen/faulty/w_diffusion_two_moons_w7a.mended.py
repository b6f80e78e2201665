# expect: nothing
"""Denoising diffusion on the two-moons cloud: an MLP predicts the noise, cosine learning-rate decay."""
import argparse

import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=24)
    p.add_argument("--batch-size", type=int, default=128)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--timesteps", type=int, default=50)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


class NoiseSchedule:
    def __init__(self, steps):
        self.steps = steps
        self.beta = torch.linspace(1e-3, 0.15, steps)
        self.alpha = 1.0 - self.beta
        self.alpha_bar = torch.cumprod(self.alpha, 0)

    def corrupt(self, x0, t, noise):
        ab = self.alpha_bar[t].unsqueeze(1)
        return ab.sqrt() * x0 + (1 - ab).sqrt() * noise


class Denoiser(nn.Module):
    def __init__(self, steps, width=96):
        super().__init__()
        self.time = nn.Embedding(steps, 32)
        self.net = nn.Sequential(
            nn.Linear(34, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2)
        )

    def forward(self, x, t):
        return self.net(torch.cat([x, self.time(t)], dim=1))


@torch.no_grad()
def sample(model, sched, n):
    model.eval()
    x = torch.randn(n, 2)
    for i in reversed(range(sched.steps)):
        eps = model(x, torch.full((n,), i))
        x = (x - sched.beta[i] / (1 - sched.alpha_bar[i]).sqrt() * eps) / sched.alpha[i].sqrt()
        if i > 0:
            x = x + sched.beta[i].sqrt() * torch.randn_like(x)
    return x


def mean_nearest(a, b):
    return torch.cdist(a, b).min(dim=1).values.mean().item()


def main():
    args = parse()
    torch.manual_seed(args.seed)
    pts, _ = make_moons(2400, noise=0.05, random_state=args.seed)
    fit, held = pts[:1800].astype(np.float32), pts[1800:].astype(np.float32)
    mean, std = fit.mean(0), fit.std(0)
    fit, held = torch.from_numpy((fit - mean) / std), torch.from_numpy((held - mean) / std)
    loader = DataLoader(TensorDataset(fit), batch_size=args.batch_size, shuffle=True, drop_last=True)

    sched = NoiseSchedule(args.timesteps)
    model = Denoiser(args.timesteps)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    scheduler = CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for (x0,) in loader:
            t = torch.randint(0, args.timesteps, (len(x0),))
            noise = torch.randn_like(x0)
            loss = nn.functional.mse_loss(model(sched.corrupt(x0, t, noise), t), noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item()
        if (epoch + 1) % 6 == 0:
            print(f"epoch {epoch + 1:3d}  noise mse {total / len(loader):.4f}")

    made = sample(model, sched, len(held))
    print(f"made->real {mean_nearest(made, held):.4f}  real->made {mean_nearest(held, made):.4f}")


if __name__ == "__main__":
    main()
