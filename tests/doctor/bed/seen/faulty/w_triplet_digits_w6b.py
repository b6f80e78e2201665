# expect: non_finite_loss @ 41
"""Metric learning on the digits: batch-hard triplets, judged by the nearest class centre on held-out rows."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)


class PKSampler:
    """Yields row numbers: p classes with k rows each."""

    def __init__(self, labels, p, k, batches, seed=0):
        self.groups = [np.flatnonzero(labels == c) for c in np.unique(labels)]
        self.p, self.k, self.batches = p, k, batches
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            picked = self.rng.choice(len(self.groups), self.p, replace=False)
            yield np.concatenate([self.rng.choice(self.groups[c], self.k, replace=False) for c in picked])


class Embedder(nn.Module):
    def __init__(self, n_in=64, width=96, dim=16):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, dim))

    def forward(self, x):
        return F.normalize(self.body(x), dim=1)


def pairwise(emb):
    gap = emb[:, None, :] - emb[None, :, :]
    return gap.pow(2).sum(-1).sqrt()


def batch_hard(emb, labels, margin=0.4):
    dist = pairwise(emb)
    same = labels[:, None] == labels[None, :]
    furthest_friend = dist.masked_fill(~same, 0.0).amax(dim=1)
    nearest_stranger = dist.masked_fill(same, 10.0).amin(dim=1)
    return F.relu(furthest_friend - nearest_stranger + margin).mean()


def centre_accuracy(net, ref, probe):
    net.eval()
    with torch.no_grad():
        a, b = net(ref[0]), net(probe[0])
        centres = torch.stack([a[ref[1] == c].mean(0) for c in range(10)])
        guess = torch.cdist(b, centres).argmin(dim=1)
    return (guess == probe[1]).float().mean().item()


def main():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.25, stratify=y, random_state=1)
    train = torch.from_numpy(x_tr), torch.from_numpy(y_tr)
    test = torch.from_numpy(x_te), torch.from_numpy(y_te)

    net = Embedder()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    sampler = PKSampler(y_tr, p=8, k=6, batches=30, seed=5)
    for epoch in range(12):
        net.train()
        running = 0.0
        for rows in sampler:
            rows = torch.from_numpy(rows)
            loss = batch_hard(net(train[0][rows]), train[1][rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            running += loss.item()
        print(f"epoch {epoch:2d}  triplet loss {running / len(sampler):.4f}")
    print(f"held-out accuracy {centre_accuracy(net, train, test):.3f}")


if __name__ == "__main__":
    main()
