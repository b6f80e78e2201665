# expect: nothing
"""Graph auto-encoder for link prediction on a synthetic citation network (after Kipf & Welling 2016)."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.metrics import average_precision_score, roc_auc_score


def parse_args():
    parser = argparse.ArgumentParser("GAE")
    parser.add_argument("--hidden", default=32, type=int)
    parser.add_argument("--latent", default=16, type=int)
    parser.add_argument("--dropout", default=0.1, type=float)
    parser.add_argument("--lr", default=0.01, type=float)
    parser.add_argument("--epochs", default=150, type=int)
    parser.add_argument("--seed", default=42, type=int)
    return parser.parse_args()


def citation_graph(rng, n=240, k=6, d=40):
    topic = rng.integers(0, k, n)
    prob = np.where(topic[:, None] == topic[None], 0.25, 0.01)
    upper = np.triu(rng.random((n, n)) < prob, 1)
    words = rng.random((k, d)) < 0.25
    x = (rng.random((n, d)) < np.where(words[topic], 0.5, 0.08)).astype(np.float32)
    return torch.from_numpy(x / np.maximum(x.sum(1, keepdims=True), 1)), np.argwhere(upper), upper


def split_edges(edges, upper, rng, frac=0.15):
    """Held-out positive edges and as many pairs without an edge."""
    edges = edges[rng.permutation(len(edges))]
    n_test = int(frac * len(edges))
    free = np.argwhere(np.triu(~upper, 1))
    free = free[rng.permutation(len(free))]
    as_t = lambda e: torch.from_numpy(np.ascontiguousarray(e.T))
    return as_t(edges[n_test:]), as_t(edges[:n_test]), as_t(free[:n_test]), as_t(free[n_test:])


def normalized_adj(edge_index, n):
    a = torch.eye(n)
    a[edge_index[0], edge_index[1]] = 1.0
    a[edge_index[1], edge_index[0]] = 1.0
    d = a.sum(1).rsqrt()
    return d[:, None] * a * d[None]


class GAE(nn.Module):
    def __init__(self, d_in, hidden, latent, dropout):
        super().__init__()
        self.w1 = nn.Linear(d_in, hidden)
        self.w2 = nn.Linear(hidden, latent)
        self.dropout = dropout

    def encode(self, x, adj):
        h = F.relu(adj @ self.w1(x))
        h = F.dropout(h, self.dropout, training=self.training)
        return adj @ self.w2(h)

    def decode(self, z, pairs):
        return (z[pairs[0]] * z[pairs[1]]).sum(dim=-1)


def train_step(model, optimizer, x, adj, pos, free):
    model.train()
    neg = free[:, torch.randint(free.size(1), (pos.size(1),))]
    z = model.encode(x, adj)
    scores = torch.cat([model.decode(z, pos), model.decode(z, neg)])
    target = torch.cat([torch.ones(pos.size(1)), torch.zeros(neg.size(1))])
    loss = F.binary_cross_entropy_with_logits(scores, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def test(model, x, adj, pos, neg):
    model.eval()
    z = model.encode(x, adj)
    s = torch.cat([model.decode(z, pos), model.decode(z, neg)]).numpy()
    y = np.r_[np.ones(pos.size(1)), np.zeros(neg.size(1))]
    return roc_auc_score(y, s), average_precision_score(y, s)


if __name__ == "__main__":
    args = parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, edges, upper = citation_graph(rng)
    pos, test_pos, test_neg, free = split_edges(edges, upper, rng)
    adj = normalized_adj(pos, len(x))
    model = GAE(x.size(1), args.hidden, args.latent, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        loss = train_step(model, optimizer, x, adj, pos, free)
        if epoch % 30 == 0:
            print(f"epoch {epoch:03d}  loss {loss:.4f}")
    auc, ap = test(model, x, adj, test_pos, test_neg)
    print(f"test AUC {auc:.4f}  AP {ap:.4f}")
