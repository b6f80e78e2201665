# expect: non_finite_loss @ 31
"""Metric learning on digits with batch-hard triplets (P classes x K pictures per batch), scored by recall@1."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class PKSampler(Sampler):
    """Batches with P different classes and K rows of each."""

    def __init__(self, labels, p, k, batches, seed):
        self.by_class = [np.flatnonzero(labels == c) for c in np.unique(labels)]
        self.p, self.k, self.batches = p, k, batches
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            classes = self.rng.choice(len(self.by_class), self.p, replace=False)
            rows = [self.rng.choice(self.by_class[c], self.k, replace=False) for c in classes]
            yield np.concatenate(rows).tolist()


def pairwise_distance(a, b):
    squared = (a[:, None, :] - b[None, :, :]).pow(2).sum(dim=-1)
    return squared.sqrt()


class BatchHardTriplet(nn.Module):
    def __init__(self, margin=0.3):
        super().__init__()
        self.margin = margin

    def forward(self, emb, y):
        dist = pairwise_distance(emb, emb)
        same = y[:, None] == y[None, :]
        eye = torch.eye(len(y), dtype=torch.bool)
        hardest_pos = dist.masked_fill(~same | eye, 0.0).max(dim=1).values
        hardest_neg = dist.masked_fill(same, 1e6).min(dim=1).values
        return (hardest_pos - hardest_neg + self.margin).clamp(min=0).mean()


class Embedder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten()
        )
        self.fc = nn.Linear(32 * 4, dim)

    def forward(self, x):
        return nn.functional.normalize(self.fc(self.conv(x)), dim=1)


@torch.no_grad()
def recall_at_1(model, gallery, gallery_y, query, query_y):
    model.eval()
    nearest = pairwise_distance(model(query), model(gallery)).argmin(dim=1)
    return (gallery_y[nearest] == query_y).float().mean().item()


def main():
    torch.manual_seed(1)
    data = load_digits()
    pictures = (data.images / 16.0).astype(np.float32)[:, None]
    xa, xb, ya, yb = train_test_split(pictures, data.target, test_size=0.3, stratify=data.target, random_state=1)
    xa, xb, ya, yb = map(torch.from_numpy, (xa, xb, ya, yb))
    sampler = PKSampler(ya.numpy(), p=8, k=6, batches=30, seed=1)
    loader = DataLoader(TensorDataset(xa, ya), batch_sampler=sampler)

    model, criterion = Embedder(), BatchHardTriplet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(6):
        model.train()
        losses = []
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: triplet loss {np.mean(losses):.4f}")
    print(f"recall@1 {recall_at_1(model, xa, ya, xb, yb):.4f}")


if __name__ == "__main__":
    main()
