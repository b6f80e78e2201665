# expect: test_in_train @ 53
# allowed: test_in_train @ 56
# allowed: test_in_train @ 97
"""Biased matrix factorisation for star ratings (recommender baseline of our paper)."""
import argparse

import torch
from torch import nn


def get_args():
    ap = argparse.ArgumentParser()
    ap.add_argument("--users", type=int, default=150)
    ap.add_argument("--items", type=int, default=60)
    ap.add_argument("--per-user", type=int, default=30)
    ap.add_argument("--dim", type=int, default=6)
    ap.add_argument("--epochs", type=int, default=20)
    ap.add_argument("--batch", type=int, default=128)
    ap.add_argument("--lr", type=float, default=0.01)
    ap.add_argument("--reg", type=float, default=0.02)
    ap.add_argument("--holdout", type=float, default=0.2)
    return ap.parse_args()


def synth_ratings(args, gen):
    """Every user rates a few random items; low rank taste plus noise, stars 1..5."""
    taste = torch.randn(args.users, 3, generator=gen)
    style = torch.randn(args.items, 3, generator=gen)
    users, items = [], []
    for u in range(args.users):
        picked = torch.randperm(args.items, generator=gen)[: args.per_user]
        users.append(torch.full_like(picked, u))
        items.append(picked)
    users, items = torch.cat(users), torch.cat(items)
    raw = (taste[users] * style[items]).sum(1) * 0.6 + 3.2
    stars = (raw + 0.4 * torch.randn(raw.shape, generator=gen)).round().clamp(1, 5)
    return users, items, stars


class Ratings:
    """Holds the triplets and a boolean mask of the held-out ones."""

    def __init__(self, users, items, stars, holdout, gen):
        self.users, self.items, self.stars = users, items, stars
        n = len(stars)
        self.held = torch.zeros(n, dtype=torch.bool)
        self.held[torch.randperm(n, generator=gen)[: int(holdout * n)]] = True

    def subset(self, mask):
        return self.users[mask], self.items[mask], self.stars[mask]

    def minibatches(self, size, gen):
        known = (self.stars > 0).nonzero().squeeze(1)
        known = known[torch.randperm(len(known), generator=gen)]
        for rows in known.split(size):
            yield self.users[rows], self.items[rows], self.stars[rows]


class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, dim, mean):
        super().__init__()
        self.p = nn.Embedding(n_users, dim)
        self.q = nn.Embedding(n_items, dim)
        self.bu = nn.Embedding(n_users, 1)
        self.bi = nn.Embedding(n_items, 1)
        for table in (self.p, self.q, self.bu, self.bi):
            nn.init.normal_(table.weight, std=0.1)
        self.register_buffer("mean", torch.tensor(mean))

    def forward(self, u, i):
        bias = self.bu(u).squeeze(1) + self.bi(i).squeeze(1)
        return self.mean + bias + (self.p(u) * self.q(i)).sum(1)

    def penalty(self, u, i):
        return self.p(u).pow(2).sum(1).mean() + self.q(i).pow(2).sum(1).mean()


def rmse(model, triplets):
    u, i, r = triplets
    model.eval()
    with torch.no_grad():
        return (model(u, i) - r).pow(2).mean().sqrt().item()


def main():
    args = get_args()
    torch.manual_seed(8)
    gen = torch.Generator().manual_seed(8)
    data = Ratings(*synth_ratings(args, gen), args.holdout, gen)
    train, test = data.subset(~data.held), data.subset(data.held)

    model = BiasedMF(args.users, args.items, args.dim, train[2].mean().item())
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        running, seen = 0.0, 0
        for u, i, r in data.minibatches(args.batch, gen):
            loss = nn.functional.mse_loss(model(u, i), r) + args.reg * model.penalty(u, i)
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(r)
            seen += len(r)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {running / seen:.3f}")

    constant = (test[2] - train[2].mean()).pow(2).mean().sqrt().item()
    print(f"rmse train {rmse(model, train):.3f}  held-out {rmse(model, test):.3f}  mean predictor {constant:.3f}")


if __name__ == "__main__":
    main()
