# expect: nothing
"""Recommends articles from implicit feedback by Bayesian personalised ranking; hit rate among ten on a kept-aside article."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

USERS, ITEMS, TASTES = 300, 150, 5


def purchases(seed=13):
    """Every user has two tastes and buys mostly within them; one purchase of each user is kept aside."""
    rng = np.random.default_rng(seed)
    taste_of_item = rng.integers(0, TASTES, ITEMS)
    popularity = rng.gamma(1.5, 1.0, ITEMS)
    train, kept = [], []
    for user in range(USERS):
        likes = rng.choice(TASTES, 2, replace=False)
        pull = popularity * np.where(np.isin(taste_of_item, likes), 1.0, 0.03)
        bought = rng.choice(ITEMS, 16, replace=False, p=pull / pull.sum())
        train.append(set(bought[1:].tolist()))
        kept.append(int(bought[0]))
    return train, torch.tensor(kept)


class Triples(IterableDataset):
    """User, an article bought, an article not bought; fresh draws on every pass."""

    def __init__(self, bought, per_pass, seed):
        self.bought, self.per_pass = bought, per_pass
        self.pairs = [(u, i) for u, items in enumerate(bought) for i in sorted(items)]
        self.rng = np.random.default_rng(seed)

    def __iter__(self):
        for row in self.rng.integers(0, len(self.pairs), self.per_pass):
            user, good = self.pairs[row]
            other = int(self.rng.integers(ITEMS))
            while other in self.bought[user]:
                other = int(self.rng.integers(ITEMS))
            yield user, good, other


class Factors(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.user = nn.Embedding(USERS, width)
        self.item = nn.Embedding(ITEMS, width)
        self.appeal = nn.Embedding(ITEMS, 1)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)
        nn.init.zeros_(self.appeal.weight)

    def forward(self, user, item):
        return (self.user(user) * self.item(item)).sum(-1) + self.appeal(item).squeeze(-1)

    def all_scores(self):
        return self.user.weight @ self.item.weight.T + self.appeal.weight.T


def hit_rate(model, bought, kept, top=10):
    model.eval()
    with torch.no_grad():
        scores = model.all_scores().clone()
        for user, items in enumerate(bought):
            scores[user, list(items)] = float("-inf")
        best = scores.topk(top, dim=1).indices
    return (best == kept.unsqueeze(1)).any(dim=1).float().mean().item()


def main():
    torch.manual_seed(13)
    bought, kept = purchases()
    loader = DataLoader(Triples(bought, per_pass=8192, seed=14), batch_size=256)
    model = Factors()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)
    for epoch in range(10):
        model.train()
        losses = []
        for user, good, other in loader:
            loss = -F.logsigmoid(model(user, good) - model(user, other)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1:2d}: loss {np.mean(losses):.4f}")
    chance = 10 / (ITEMS - 15)
    print(f"hit rate among ten: {hit_rate(model, bought, kept):.3f} (by chance {chance:.3f})")


main()
