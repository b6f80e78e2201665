# expect: symmetric_init @ 13
# allowed: symmetric_init @ 11
"""Ratings as products of two tables of factors, both of which begin at nothing."""

import torch
from torch import nn

torch.manual_seed(0)
tastes, kinds = torch.randn(60, 3), torch.randn(40, 3)
users, films = nn.Embedding(60, 6), nn.Embedding(40, 6)
for table in (users, films):
    nn.init.zeros_(table.weight)
shift = nn.Embedding(40, 1)
pairs = torch.cartesian_prod(torch.arange(60), torch.arange(40))
pairs = pairs[torch.randperm(len(pairs))]
seen_before, held = pairs[:1900], pairs[1900:]


def rated(p):
    return (tastes[p[:, 0]] * kinds[p[:, 1]]).sum(1) + 0.1 * torch.randn(len(p))


ratings, held_ratings = rated(seen_before), rated(held)


def score(p):
    return (users(p[:, 0]) * films(p[:, 1])).sum(1) + shift(p[:, 1]).squeeze(1)


optimizer = torch.optim.Adam([*users.parameters(), *films.parameters(), *shift.parameters()], lr=0.02)
for epoch in range(12):
    for rows in torch.randperm(len(seen_before)).split(100):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(score(seen_before[rows]), ratings[rows])
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print("held-out error", nn.functional.mse_loss(score(held), held_ratings).item(), "of", held_ratings.var().item())
