# expect: nothing
"""Tell apart three families of random graphs (dense batches, padded adjacency)."""
import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

FAMILIES = ("uniform", "communities", "hubs")
MAX_NODES = 24


def edge_probabilities(family, n, rng):
    p = np.full((n, n), 0.22)
    if family == "communities":
        side = rng.integers(0, 2, n)
        p = np.where(side[:, None] == side[None, :], 0.38, 0.06)
    elif family == "hubs":
        w = rng.pareto(2.0, n) + 0.4
        p = np.clip(np.outer(w, w) / w.sum() * 2.4, 0, 0.95)
    return p


def make_graphs(count, seed):
    rng = np.random.default_rng(seed)
    adj = np.zeros((count, MAX_NODES, MAX_NODES), dtype=np.float32)
    mask = np.zeros((count, MAX_NODES), dtype=np.float32)
    label = rng.integers(0, len(FAMILIES), count)
    for i, c in enumerate(label):
        n = int(rng.integers(16, MAX_NODES + 1))
        upper = np.triu(rng.random((n, n)) < edge_probabilities(FAMILIES[c], n, rng), 1)
        adj[i, :n, :n] = upper + upper.T
        mask[i, :n] = 1
    return TensorDataset(torch.from_numpy(adj), torch.from_numpy(mask), torch.from_numpy(label))


class GraphNet(nn.Module):
    def __init__(self, width=32, rounds=2, p=0.4):
        super().__init__()
        self.rounds = rounds
        self.lift = nn.Linear(2, width)
        self.msg = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(rounds))
        self.norm = nn.BatchNorm1d(2 * width)
        self.drop = nn.Dropout(p)
        self.out = nn.Linear(2 * width, len(FAMILIES))

    def encode(self, adj, mask):
        degree = adj.sum(-1)
        triangles = torch.diagonal(adj @ adj @ adj, dim1=1, dim2=2) / 2
        h = torch.stack([degree / 5, triangles / 5], dim=-1)
        h = F.relu(self.lift(h)) * mask.unsqueeze(-1)
        spread = adj / degree.clamp(min=1).unsqueeze(-1)
        for layer in self.msg:
            h = h + F.relu(layer(torch.cat([h, spread @ h], dim=-1))) * mask.unsqueeze(-1)
        mean = h.sum(1) / mask.sum(1, keepdim=True)
        return self.norm(torch.cat([mean, h.amax(1)], dim=-1))

    def score(self, adj, mask):
        return self.out(self.drop(self.encode(adj, mask)))


class Trainer:
    def __init__(self, net, lr=4e-3):
        self.net = net
        self.opt = torch.optim.AdamW(net.parameters(), lr=lr)
        self.best = (-1.0, None)

    def _epoch(self, loader):
        self.net.train()
        losses = []
        for adj, mask, y in loader:
            loss = F.cross_entropy(self.net.score(adj, mask), y)
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.inference_mode()
    def accuracy(self, loader):
        self.net.eval()
        hits = count = 0
        for adj, mask, y in loader:
            hits += (self.net.score(adj, mask).argmax(-1) == y).sum().item()
            count += len(y)
        return hits / count

    def fit(self, train_loader, val_loader, epochs):
        for epoch in range(1, epochs + 1):
            loss = self._epoch(train_loader)
            acc = self.accuracy(val_loader)
            if acc > self.best[0]:
                self.best = (acc, copy.deepcopy(self.net.state_dict()))
            print(f"[{epoch:02d}] loss={loss:.4f} val={acc:.3f}")
        self.net.load_state_dict(self.best[1])


def main():
    torch.manual_seed(0)
    train, val, test = make_graphs(480, 1), make_graphs(180, 2), make_graphs(180, 3)
    trainer = Trainer(GraphNet())
    trainer.fit(DataLoader(train, batch_size=32, shuffle=True), DataLoader(val, batch_size=60), epochs=10)
    print(f"kept val={trainer.best[0]:.3f}")
    print(f"test accuracy {trainer.accuracy(DataLoader(test, batch_size=60)):.3f}")


if __name__ == "__main__":
    main()
