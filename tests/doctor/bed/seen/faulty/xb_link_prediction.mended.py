# expect: nothing
"""Link prediction with a SAGE-style encoder: which pairs of authors will write together?"""
import torch
from torch import nn
import torch.nn.functional as F


def coauthors(n=120, groups=6, seed=0):
    """Undirected edges i<j (each once), communities as hidden cause; random features with a hint."""
    g = torch.Generator().manual_seed(seed)
    group = torch.randint(0, groups, (n,), generator=g)
    i, j = torch.triu_indices(n, n, offset=1)
    p = torch.where(group[i] == group[j], 0.35, 0.01)
    linked = torch.rand(len(i), generator=g) < p
    x = torch.randn(n, 10, generator=g) + F.one_hot(group, 10).float()
    return x, torch.stack([i[linked], j[linked]]), torch.stack([i[~linked], j[~linked]])


def split_columns(edges, share, gen):
    order = torch.randperm(edges.shape[1], generator=gen)
    k = int(share * len(order))
    return edges[:, order[:k]], edges[:, order[k:]]


def mean_adjacency(edges, n):
    a = torch.zeros(n, n)
    a[edges[0], edges[1]] = 1.0
    a = a + a.T
    return a / a.sum(1, keepdim=True).clamp(min=1)


class Sage(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.own, self.near = nn.Linear(n_in, n_out), nn.Linear(n_in, n_out, bias=False)

    def forward(self, a, h):
        return self.own(h) + self.near(a @ h)


class LinkModel(nn.Module):
    def __init__(self, n_in, hidden=24):
        super().__init__()
        self.s1, self.s2 = Sage(n_in, hidden), Sage(hidden, hidden)
        self.bias = nn.Parameter(torch.zeros(()))

    def encode(self, a, x):
        return self.s2(a, torch.relu(self.s1(a, x)))

    def decode(self, z, pairs):
        return (z[pairs[0]] * z[pairs[1]]).sum(-1) / z.shape[1] ** 0.5 + self.bias


def labelled(pos, neg):
    """All pairs side by side with their labels."""
    pairs = torch.cat([pos, neg], dim=1)
    label = torch.cat([torch.ones(pos.shape[1]), torch.zeros(neg.shape[1])])
    return pairs, label


def auc(scores, label):
    pos, neg = scores[label > 0], scores[label <= 0]
    return (pos[:, None] > neg[None, :]).float().mean().item()


def main():
    torch.manual_seed(3)
    gen = torch.Generator().manual_seed(30)
    x, edges, non_edges = coauthors()
    pos_train, pos_test = split_columns(edges, 0.8, gen)
    neg_train, neg_test = split_columns(non_edges, 0.8, gen)
    a = mean_adjacency(pos_train, len(x))          # messages run along training edges only
    model = LinkModel(x.shape[1])
    opt = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-4)
    for epoch in range(1, 101):
        model.train()
        # as many fresh non-edges as edges
        pick = torch.randperm(neg_train.shape[1], generator=gen)[:pos_train.shape[1]]
        pairs, label = labelled(pos_train, neg_train[:, pick])
        logits = model.decode(model.encode(a, x), pairs)
        loss = F.binary_cross_entropy_with_logits(logits, label)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if epoch % 25 == 0:
            print(f"epoch {epoch:3d} loss {loss.item():+.4f}")
    model.eval()
    with torch.no_grad():
        pairs, label = labelled(pos_test, neg_test)
        p = model.decode(model.encode(a, x), pairs).sigmoid()
    print(f"test AUC {auc(p, label):.3f}, mean probability of a test edge {p[label > 0].mean():.3f}, "
          f"of a non-edge {p[label <= 0].mean():.3f}")


main()
