# expect: weight_decay_too_high @ 46
# allowed: weight_decay_too_high @ 54
# mend: 46 →     p.add_argument("--reg", type=float, default=1e-5)
"""Biased probabilistic matrix factorisation (Salakhutdinov & Mnih) on simulated ratings of known rank."""
import argparse
import torch
import torch.nn as nn


def simulate(users, items, rank, gen):
    u = torch.randn(users, rank, generator=gen)
    v = torch.randn(items, rank, generator=gen)
    full = u @ v.T / rank ** 0.5
    keep = torch.rand(users, items, generator=gen) < 0.4
    i, j = keep.nonzero(as_tuple=True)
    r = full[i, j] + 0.2 * torch.randn(len(i), generator=gen)
    order = torch.randperm(len(i), generator=gen)
    return i[order], j[order], r[order]


class PMF(nn.Module):
    def __init__(self, users, items, rank):
        super().__init__()
        self.u, self.v = nn.Embedding(users, rank), nn.Embedding(items, rank)
        self.bu, self.bv = nn.Embedding(users, 1), nn.Embedding(items, 1)
        for e in (self.u, self.v):
            nn.init.normal_(e.weight, std=0.3)
        for e in (self.bu, self.bv):
            nn.init.zeros_(e.weight)

    def forward(self, i, j):
        dot = (self.u(i) * self.v(j)).sum(1)
        return dot + self.bu(i).squeeze(1) + self.bv(j).squeeze(1)


def rmse(model, i, j, r):
    model.eval()
    with torch.no_grad():
        return (model(i, j) - r).pow(2).mean().sqrt().item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rank", type=int, default=3)
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--reg", type=float, default=0.5)
    p.add_argument("--epochs", type=int, default=25)
    args = p.parse_args()
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(0)
    i, j, r = simulate(120, 90, 3, gen)
    cut = int(0.8 * len(r))
    model = PMF(120, 90, args.rank)
    opt = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.reg)
    for epoch in range(args.epochs):
        model.train()
        for b in torch.randperm(cut).split(256):
            opt.zero_grad()
            loss = (model(i[b], j[b]) - r[b]).pow(2).mean()
            loss.backward()
            opt.step()
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1}: train rmse {rmse(model, i[:cut], j[:cut], r[:cut]):.3f}")
    print(f"test rmse {rmse(model, i[cut:], j[cut:], r[cut:]):.3f} (std of ratings {r[cut:].std():.3f})")


if __name__ == "__main__":
    main()
