# expect: nothing
"""Metric learning on tabular clusters: triplet loss with batch-hard mining, retrieval@1 at the end."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class PKSampler(Sampler):
    """P classes with K rows each per batch, drawn afresh for each batch."""

    def __init__(self, labels, p, k, batches):
        self.rows = [torch.nonzero(labels == c).squeeze(1) for c in labels.unique()]
        self.p, self.k, self.batches = p, k, batches

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            chosen = torch.randperm(len(self.rows))[: self.p].tolist()
            batch = []
            for c in chosen:
                r = self.rows[c]
                batch += r[torch.randperm(len(r))[: self.k]].tolist()
            yield batch


class Layer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.lin = nn.Linear(n, n)

    def forward(self, x):
        return x + F.gelu(self.lin(x))


class Embedder(nn.Module):
    def __init__(self, n_in, width, depth, n_out):
        super().__init__()
        self.stem = nn.Linear(n_in, width)
        self.body = nn.Sequential(*[Layer(width) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_out)

    def forward(self, x):
        return F.normalize(self.head(self.norm(self.body(self.stem(x)))), dim=1)


def batch_hard(emb, labels, margin):
    dist = torch.cdist(emb, emb).clamp_min(1e-6)
    same = labels[:, None] == labels[None, :]
    eye = torch.eye(len(labels), dtype=torch.bool)
    hardest_pos = dist.masked_fill(~same | eye, -1.0).max(1).values
    hardest_neg = dist.masked_fill(same, 1e4).min(1).values
    return F.softplus((hardest_pos - hardest_neg + margin) * 4).mean() / 4


def make_rings(n_classes, per_class, n_in, gen):
    """Each class is a cloud on a curved 4-d sheet, seen through n_in noisy channels."""
    centres = torch.randn(n_classes, 4, generator=gen)
    labels = torch.arange(n_classes).repeat_interleave(per_class)
    z = centres[labels] + 0.35 * torch.randn(len(labels), 4, generator=gen)
    mix = torch.randn(4, n_in, generator=gen)
    x = torch.sin(z @ mix) + 0.3 * torch.randn(len(labels), n_in, generator=gen)
    order = torch.randperm(len(labels), generator=gen)
    return x[order], labels[order]


@torch.no_grad()
def recall_at_1(net, x_gallery, y_gallery, x_query, y_query):
    net.eval()
    nearest = torch.cdist(net(x_query), net(x_gallery)).argmin(1)
    return (y_gallery[nearest] == y_query).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--depth", type=int, default=8)
    ap.add_argument("--width", type=int, default=48)
    ap.add_argument("--epochs", type=int, default=10)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--margin", type=float, default=0.2)
    args = ap.parse_args()

    torch.manual_seed(13)
    x, y = make_rings(12, 60, 20, torch.Generator().manual_seed(13))
    n_tr = int(0.75 * len(x))
    mean, std = x[:n_tr].mean(0), x[:n_tr].std(0)
    x = (x - mean) / std
    x_tr, y_tr, x_te, y_te = x[:n_tr], y[:n_tr], x[n_tr:], y[n_tr:]

    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_sampler=PKSampler(y_tr, 8, 6, 25))
    net = Embedder(20, args.width, args.depth, 16)
    opt = torch.optim.AdamW(net.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = batch_hard(net(xb), yb, args.margin)
            loss.backward()
            opt.step()
            total += loss.item()
        stem = net.stem.weight.grad.norm().item()
        print(f"epoch {epoch}: triplet {total / len(loader):.4f}  |grad stem| {stem:.2e}")
    print(f"recall@1 on unseen rows {recall_at_1(net, x_tr, y_tr, x_te, y_te):.3f}")


if __name__ == "__main__":
    main()
