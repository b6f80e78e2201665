# expect: detached_graph @ 35
# mend: 35 →         return table.weight[index]
"""Bayesian personalised ranking on made-up shopping baskets; hit rate at 10 on one held-out purchase per customer."""
import argparse

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn


def baskets(customers, products, seed):
    rng = np.random.default_rng(seed)
    group_of_product = np.arange(products) % 6
    rows = []
    for customer in range(customers):
        liked = customer % 6
        weight = np.where(group_of_product == liked, 6.0, 0.35)
        bought = rng.choice(products, size=14, replace=False, p=weight / weight.sum())
        rows += [(customer, int(p), when) for when, p in enumerate(bought)]
    return pd.DataFrame(rows, columns=["customer", "product", "when"])


class Ranker(nn.Module):
    def __init__(self, customers, products, dim):
        super().__init__()
        self.customer = nn.Embedding(customers, dim)
        self.product = nn.Embedding(products, dim)
        for table in (self.customer, self.product):
            nn.init.normal_(table.weight, std=0.1)

    @staticmethod
    def rows(table, index):
        return table.weight.data[index]

    def forward(self, customer, product):
        return (self.customer(customer) * self.rows(self.product, product)).sum(-1)


def sample_negatives(customer, seen, generator):
    draw = torch.randint(seen.shape[1], (len(customer),), generator=generator)
    clash = seen[customer, draw]
    while clash.any():
        draw[clash] = torch.randint(seen.shape[1], (int(clash.sum()),), generator=generator)
        clash = seen[customer, draw]
    return draw


@torch.no_grad()
def hit_rate(model, held, seen, k=10):
    model.eval()
    scores = model.customer.weight @ model.product.weight.T
    scores = scores.masked_fill(seen, float("-inf"))
    top = scores[held[:, 0]].topk(k, dim=1).indices
    return (top == held[:, 1:2]).any(1).float().mean().item()


def main(args):
    torch.manual_seed(args.seed)
    log = baskets(args.customers, args.products, args.seed)
    last = log.when == log.groupby("customer").when.transform("max")
    train = torch.tensor(log.loc[~last, ["customer", "product"]].to_numpy())
    held = torch.tensor(log.loc[last, ["customer", "product"]].to_numpy())
    seen = torch.zeros(args.customers, args.products, dtype=torch.bool)
    seen[train[:, 0], train[:, 1]] = True

    model = Ranker(args.customers, args.products, args.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    generator = torch.Generator().manual_seed(args.seed)
    for epoch in range(args.epochs):
        model.train()
        running = []
        for pick in torch.randperm(len(train), generator=generator).split(args.batch):
            customer, good = train[pick].T
            bad = sample_negatives(customer, seen, generator)
            gap = model(customer, good) - model(customer, bad)
            loss = -F.logsigmoid(gap).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running.append(loss.item())
        if (epoch + 1) % 5 == 0:
            print(f"{epoch + 1:3d}  bpr {np.mean(running):.4f}")
    print(f"hit@10 {hit_rate(model, held, seen):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=180)
    parser.add_argument("--products", type=int, default=90)
    parser.add_argument("--dim", type=int, default=12)
    parser.add_argument("--lr", type=float, default=2e-2)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=4)
    main(parser.parse_args())
