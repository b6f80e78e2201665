# expect: missing_no_grad @ 63
# allowed: missing_no_grad @ 66
# allowed: missing_no_grad @ 67
# mend: 62 +     @torch.no_grad()
"""Explicit-feedback matrix factorisation behind the ratings service, with a separate evaluator."""
from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Iterator

import torch
from torch import Tensor, nn


@dataclass
class Ratings:
    user: Tensor
    item: Tensor
    value: Tensor

    def __len__(self) -> int:
        return len(self.value)

    def take(self, index: Tensor) -> "Ratings":
        return Ratings(self.user[index], self.item[index], self.value[index])

    def batches(self, size: int, shuffle: bool) -> Iterator["Ratings"]:
        order = torch.randperm(len(self)) if shuffle else torch.arange(len(self))
        for index in order.split(size):
            yield self.take(index)


def simulate(n_users: int, n_items: int, n: int) -> Ratings:
    taste, trait = torch.randn(n_users, 3), torch.randn(n_items, 3)
    user, item = torch.randint(n_users, (n,)), torch.randint(n_items, (n,))
    value = 3.0 + 0.6 * (taste[user] * trait[item]).sum(1) + 0.2 * torch.randn(n)
    return Ratings(user, item, value.clamp(1, 5))


class BiasedMF(nn.Module):
    def __init__(self, n_users: int, n_items: int, rank: int, offset: float) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(n_users, rank), nn.Embedding(n_items, rank)
        self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        for table in (self.user, self.item):
            nn.init.normal_(table.weight, std=0.3)
        for table in (self.user_bias, self.item_bias):
            nn.init.zeros_(table.weight)
        self.register_buffer("offset", torch.tensor(offset))

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        dot = (self.user(user) * self.item(item)).sum(1)
        return self.offset + dot + self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]


class Evaluator:
    def __init__(self, ratings: Ratings, batch_size: int = 500) -> None:
        self.ratings = ratings
        self.batch_size = batch_size

    def rmse(self, model: BiasedMF) -> float:
        model.eval()
        squared: list[Tensor] = []
        for batch in self.ratings.batches(self.batch_size, shuffle=False):
            predicted = model(batch.user, batch.item).clamp(1, 5)
            squared.append((predicted - batch.value).pow(2).sum())
        return math.sqrt(torch.stack(squared).sum().item() / len(self.ratings))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rank", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--weight-decay", type=float, default=1e-5)
    parser.add_argument("--batch-size", type=int, default=256)
    args = parser.parse_args()
    torch.manual_seed(17)
    ratings = simulate(120, 80, 6000)
    order = torch.randperm(len(ratings))
    train, test = ratings.take(order[:5000]), ratings.take(order[5000:])
    model = BiasedMF(120, 80, args.rank, train.value.mean().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    evaluator = Evaluator(test)
    for epoch in range(1, args.epochs + 1):
        model.train()
        for batch in train.batches(args.batch_size, shuffle=True):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(batch.user, batch.item), batch.value).backward()
            optimizer.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d} test rmse {evaluator.rmse(model):.4f}")


if __name__ == "__main__":
    main()
