# expect: nothing
"""Graph classification by hand: is a small random graph clustered or not?

Graphs of similar size go into one padded batch, so little is wasted on padding.
"""
import random

import torch
from torch import nn
import torch.nn.functional as F


def ring_lattice(n, k=2):
    a = torch.zeros(n, n)
    for i in range(n):
        for d in range(1, k + 1):
            a[i, (i + d) % n] = a[(i + d) % n, i] = 1.0
    return a


def make_graph(label, rnd):
    """0: a lattice with its edges rewired at random; 1: a lattice left mostly as it was."""
    n = rnd.randint(10, 20)
    a = ring_lattice(n)
    p = 0.9 if label == 0 else 0.2
    for i, j in a.triu().nonzero().tolist():
        if rnd.random() < p:
            free = [k for k in range(n) if k != i and a[i, k] == 0]
            k = rnd.choice(free)
            a[i, j] = a[j, i] = 0.0
            a[i, k] = a[k, i] = 1.0
    return a


def node_features(a):
    deg = a.sum(1)
    triangles = torch.diagonal(a @ a @ a) / 2
    return torch.stack([deg / 4.0, triangles / 4.0, torch.ones_like(deg)], dim=1)


def make_set(n, seed):
    rnd = random.Random(seed)
    labels = [i % 2 for i in range(n)]
    rnd.shuffle(labels)
    return [make_graph(y, rnd) for y in labels], labels


def bucketize(graphs, labels, size):
    """Sort by the number of nodes, cut into batches, pad each to its largest graph."""
    order = sorted(range(len(graphs)), key=lambda i: len(graphs[i]))
    graphs = [graphs[i] for i in order]
    labels = [labels[i] for i in order]
    batches = []
    for s in range(0, len(graphs), size):
        part = graphs[s:s + size]
        width = max(len(a) for a in part)
        adj = torch.stack([F.pad(a, (0, width - len(a), 0, width - len(a))) for a in part])
        x = torch.stack([F.pad(node_features(a), (0, 0, 0, width - len(a))) for a in part])
        mask = torch.stack([torch.arange(width) < len(a) for a in part]).float()
        batches.append((x, adj, mask, torch.tensor(labels[s:s + size])))
    return batches


class GIN(nn.Module):
    def __init__(self, dims=(3, 16, 16)):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(i, o), nn.ReLU(), nn.Linear(o, o)) for i, o in zip(dims, dims[1:]))
        self.eps = nn.Parameter(torch.zeros(len(self.layers)))
        self.readout = nn.Linear(dims[-1], 2)

    def forward(self, x, adj, mask):
        keep = mask.unsqueeze(-1)
        for eps, layer in zip(self.eps, self.layers):
            neigh = adj @ x / adj.sum(-1, keepdim=True).clamp(min=1)
            x = torch.relu(layer((1 + eps) * x + neigh)) * keep
        return self.readout(x.sum(1) / keep.sum(1))


def evaluate(net, batches):
    net.eval()
    hits = total = 0
    with torch.no_grad():
        for x, adj, mask, y in batches:
            hits += (net(x, adj, mask).argmax(1) == y).sum().item()
            total += len(y)
    return hits / total


def main():
    torch.manual_seed(0)
    train = bucketize(*make_set(320, seed=1), size=16)
    test = bucketize(*make_set(100, seed=2), size=20)
    net = GIN()
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(24):
        net.train()
        running = 0.0
        for k in torch.randperm(len(train)).tolist():
            x, adj, mask, y = train[k]
            loss = F.cross_entropy(net(x, adj, mask), y)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            running += loss.item()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: loss {running / len(train):.4f} train acc {evaluate(net, train):.3f}")
    print(f"test acc {evaluate(net, test):.3f}")


if __name__ == "__main__":
    main()
