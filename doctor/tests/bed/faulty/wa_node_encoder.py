# expect: detached_graph @ 36
# allowed: detached_graph @ 37
# allowed: detached_graph @ 60
# mend: 36 →
# Node classification with an encode -> aggregate -> classify graph net, written without PyG.
import argparse

import torch
import torch.nn.functional as F
from torch import nn


def planted_communities(n_per=70, k=4, feat=24, p_in=0.09, p_out=0.012, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(k).repeat_interleave(n_per)
    n = len(y)
    prob = torch.where(y[:, None] == y[None, :], p_in, p_out)
    upper = torch.triu(torch.rand(n, n, generator=g) < prob, diagonal=1)
    src, dst = upper.nonzero(as_tuple=True)
    edge_index = torch.stack([torch.cat([src, dst]), torch.cat([dst, src])])
    # the class shows in the features only through products of pairs of columns
    x = torch.randn(n, feat, generator=g)
    sign = torch.where(torch.rand(n, generator=g) < 0.5, -1.0, 1.0)
    for c in range(k):
        rows = y == c
        x[rows, 2 * c] += 1.6 * sign[rows]
        x[rows, 2 * c + 1] += 1.6 * sign[rows]
    return x, y, edge_index


def split_nodes(n, seed=1):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return {"train": order[: n // 2], "val": order[n // 2: 3 * n // 4], "test": order[3 * n // 4:]}


@torch.no_grad()
def neighbour_mean(values, edge_index):
    """Mean over each node's in-neighbours and itself."""
    src, dst = edge_index
    total = values.clone().index_add_(0, dst, values[src])
    degree = torch.ones(len(values)).index_add_(0, dst, torch.ones(len(dst)))
    return total / degree[:, None]


def edge_homophily(y, edge_index):
    return (y[edge_index[0]] == y[edge_index[1]]).float().mean().item()


class EncodeAggregate(nn.Module):
    def __init__(self, d_in, d_hidden, n_classes, hops=2, p_drop=0.3):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d_in, d_hidden), nn.ReLU(), nn.Dropout(p_drop),
                                     nn.Linear(d_hidden, d_hidden), nn.ReLU())
        self.classifier = nn.Linear(d_hidden, n_classes)
        self.hops = hops

    def forward(self, x, edge_index):
        h = self.encoder(x)
        for _ in range(self.hops):
            h = neighbour_mean(h, edge_index)
        return self.classifier(h)


def train_epoch(model, opt, x, y, edge_index, idx):
    model.train()
    opt.zero_grad()
    loss = F.cross_entropy(model(x, edge_index)[idx], y[idx])
    loss.backward()
    opt.step()
    return loss.item()


@torch.no_grad()
def evaluate(model, x, y, edge_index, idx):
    model.eval()
    pred = model(x, edge_index)[idx].argmax(dim=1)
    return (pred == y[idx]).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--hidden", type=int, default=48)
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--epochs", type=int, default=100)
    args = ap.parse_args()

    torch.manual_seed(0)
    x, y, edge_index = planted_communities()
    part = split_nodes(len(y))
    mu, sd = x[part["train"]].mean(0), x[part["train"]].std(0)
    x = (x - mu) / sd
    print(f"{len(y)} nodes, {edge_index.shape[1]} edges, homophily {edge_homophily(y, edge_index):.2f}")

    model = EncodeAggregate(x.shape[1], args.hidden, int(y.max()) + 1)
    opt = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=5e-4)
    for epoch in range(1, args.epochs + 1):
        loss = train_epoch(model, opt, x, y, edge_index, part["train"])
        if epoch % 20 == 0:
            print(f"epoch {epoch:3d}  loss {loss:.3f}  val acc {evaluate(model, x, y, edge_index, part['val']):.3f}")
    print(f"test acc {evaluate(model, x, y, edge_index, part['test']):.3f}")


if __name__ == "__main__":
    main()
