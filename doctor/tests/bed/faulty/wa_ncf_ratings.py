# expect: lr_too_high @ 61
# allowed: dead_relu @ 61
# allowed: lr_too_high @ 76
# mend: 61 →     p.add_argument("--lr", type=float, default=0.01)
"""Neural collaborative filtering on made-up star ratings."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn


def make_ratings(n_users, n_items, n, gen):
    taste = torch.randn(n_users, 3, generator=gen)
    style = torch.randn(n_items, 3, generator=gen)
    # each (user, item) pair is rated at most once
    pairs = torch.randperm(n_users * n_items, generator=gen)[:n]
    u, i = pairs // n_items, pairs % n_items
    stars = 3 + (taste[u] * style[i]).sum(1) + 0.2 * torch.randn(n, generator=gen)
    return u, i, stars.clamp(1, 5)


class NCF(nn.Module):
    def __init__(self, n_users, n_items, dim):
        super().__init__()
        self.users = nn.Embedding(n_users, dim)
        self.items = nn.Embedding(n_items, dim)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.3)
        self.fc1 = nn.Linear(3 * dim, 32)
        self.fc2 = nn.Linear(32, 1)

    def forward(self, u, i):
        p, q = self.users(u), self.items(i)
        h = F.relu(self.fc1(torch.cat([p, q, p * q], dim=1)))
        return self.fc2(h).squeeze(1)


def make_step(model, optimizer, centre):
    def step(u, i, stars):
        optimizer.zero_grad()
        loss = F.mse_loss(model(u, i), stars - centre)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def rmse(model, u, i, stars, centre):
    model.eval()
    with torch.no_grad():
        guess = (model(u, i) + centre).clamp(1, 5)
    return F.mse_loss(guess, stars).sqrt().item()


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--dim", type=int, default=8)
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=0.5)
    return p.parse_args()


def main():
    args = parse()
    torch.manual_seed(1)
    gen = torch.Generator().manual_seed(10)
    n_users, n_items = 60, 80
    u, i, stars = make_ratings(n_users, n_items, 3000, gen)
    cut = 2400                       # the pairs are already in random order
    train, test = (u[:cut], i[:cut], stars[:cut]), (u[cut:], i[cut:], stars[cut:])
    centre = train[2].mean()

    model = NCF(n_users, n_items, args.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    step = make_step(model, optimizer, centre)

    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for rows in torch.randperm(cut).split(args.batch):
            total += step(*(t[rows] for t in train)) * len(rows)
        print(f"epoch {epoch:2d}  train mse {total / cut:.4f}")

    always_mean = F.mse_loss(centre.expand(len(test[2])), test[2]).sqrt().item()
    print(f"test rmse {rmse(model, *test, centre):.3f}   (always the mean: {always_mean:.3f})")


if __name__ == "__main__":
    main()
