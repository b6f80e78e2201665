# expect: scheduler_misuse @ 70
# allowed: scheduler_misuse @ 69
# allowed: scheduler_misuse @ 71
# allowed: scheduler_misuse @ 95
"""Tells made-up graphs apart by their shape: message passing on dense adjacency matrices, sum readout."""
import argparse
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPES = ["ring", "star", "grid", "tree"]


def edges_of(shape, n, rng):
    if shape == "ring":
        return [(i, (i + 1) % n) for i in range(n)]
    if shape == "star":
        return [(0, i) for i in range(1, n)]
    if shape == "grid":
        return [(i, i + 1) for i in range(n - 1) if i % 3 != 2] + [(i, i + 3) for i in range(n - 3)]
    return [(i, rng.randrange(max(0, i - 3), i)) for i in range(1, n)]


def draw(count, rng, n_max=16):
    adj = torch.zeros(count, n_max, n_max)
    mask = torch.zeros(count, n_max)
    labels = torch.tensor([rng.randrange(len(SHAPES)) for _ in range(count)])
    for g, label in enumerate(labels.tolist()):
        n = rng.randint(8, n_max)
        names = rng.sample(range(n), n)
        edges = edges_of(SHAPES[label], n, rng)
        edges += [tuple(rng.sample(range(n), 2)) for _ in range(rng.randint(2, 4))]
        for i, j in edges:
            adj[g, names[i], names[j]] = adj[g, names[j], names[i]] = 1.0
        mask[g, :n] = 1.0
    return adj, mask, labels


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.own = nn.Linear(n_in, n_out)
        self.others = nn.Linear(n_in, n_out, bias=False)

    def forward(self, h, adj):
        return F.relu(self.own(h) + self.others(adj @ h) / 2)


class ShapeNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.convs = nn.ModuleList([GraphConv(2, width), GraphConv(width, width)])
        self.head = nn.Linear(width, len(SHAPES))

    def forward(self, adj, mask):
        h = torch.stack([mask, adj.sum(-1) / 4], dim=-1)
        for conv in self.convs:
            h = conv(h, adj) * mask.unsqueeze(-1)
        return self.head(h.sum(1) / mask.sum(1, keepdim=True))


def run(args):
    rng = random.Random(args.seed)
    torch.manual_seed(args.seed)
    train, test = draw(480, rng), draw(160, rng)
    net = ShapeNet(args.width)
    optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
    warmup = lambda step: args.lr * min(1.0, (step + 1) / args.warmup)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup)

    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for rows in torch.randperm(len(train[2])).split(args.batch):
            adj, mask, labels = (part[rows] for part in train)
            loss = F.cross_entropy(net(adj, mask), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d} loss {total / len(train[2]):.4f}")

    net.eval()
    with torch.no_grad():
        hits = net(*test[:2]).argmax(1) == test[2]
    print(f"test accuracy {hits.float().mean():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--warmup", type=int, default=40)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=17)
    run(parser.parse_args())
