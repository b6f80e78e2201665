# expect: missing_no_grad @ 72
# allowed: missing_no_grad @ 68
# allowed: missing_no_grad @ 69
# allowed: missing_no_grad @ 71
"""RealNVP density model on two moons, trained by exact likelihood."""
import argparse
import math

import torch
from sklearn.datasets import make_moons
from torch import nn, optim


class Coupling(nn.Module):
    """Affine coupling: one coordinate is kept and drives scale and shift of the other one."""

    def __init__(self, keep, width):
        super().__init__()
        self.keep = keep
        self.net = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2))

    def _params(self, kept):
        s, t = self.net(kept).chunk(2, dim=1)
        return 1.5 * torch.tanh(s), t

    def to_latent(self, x):
        kept, moved = x[:, self.keep, None], x[:, 1 - self.keep, None]
        s, t = self._params(kept)
        return self._join(kept, (moved - t) * torch.exp(-s)), -s.squeeze(1)

    def to_data(self, z):
        kept, moved = z[:, self.keep, None], z[:, 1 - self.keep, None]
        s, t = self._params(kept)
        return self._join(kept, moved * torch.exp(s) + t)

    def _join(self, kept, moved):
        return torch.cat([kept, moved] if self.keep == 0 else [moved, kept], dim=1)


class RealNVP(nn.Module):
    def __init__(self, layers=6, width=32):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(i % 2, width) for i in range(layers))

    def log_prob(self, x):
        log_det = x.new_zeros(len(x))
        for c in self.couplings:
            x, ld = c.to_latent(x)
            log_det = log_det + ld
        log_base = -0.5 * x.pow(2).sum(1) - math.log(2 * math.pi)
        return log_base + log_det

    def sample(self, n):
        z = torch.randn(n, 2)
        for c in reversed(self.couplings):
            z = c.to_data(z)
        return z


def get_data(seed):
    train, _ = make_moons(1500, noise=0.07, random_state=seed)
    held, _ = make_moons(500, noise=0.07, random_state=seed + 1)
    mu, sd = train.mean(0), train.std(0)
    as_tensor = lambda a: torch.tensor((a - mu) / sd, dtype=torch.float32)
    return as_tensor(train), as_tensor(held)


def held_out_nll(flow, points, chunk=125):
    flow.eval()
    nats = 0.0
    for part in points.split(chunk):
        nats -= flow.log_prob(part).sum().item()
    flow.train()
    return nats / len(points)


def minibatches(x, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx]


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--epochs", type=int, default=12)
    ap.add_argument("--batch-size", type=int, default=100)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--seed", type=int, default=7)
    args = ap.parse_args()
    torch.manual_seed(args.seed)

    train, held = get_data(args.seed)
    flow = RealNVP()
    opt = optim.Adam(flow.parameters(), lr=args.lr)
    print(f"before training: held-out nll {held_out_nll(flow, held):.3f}")
    for epoch in range(args.epochs):
        total = 0.0
        for xb in minibatches(train, args.batch_size):
            opt.zero_grad()
            loss = -flow.log_prob(xb).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
            opt.step()
            total += loss.item() * len(xb)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}: train nll {total / len(train):.3f}, held-out nll {held_out_nll(flow, held):.3f}")
    with torch.no_grad():
        s = flow.sample(1000)
    print("sample mean", s.mean(0).numpy().round(2), "sample std", s.std(0).numpy().round(2))


if __name__ == "__main__":
    main()
