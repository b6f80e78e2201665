# expect: non_finite_loss @ 39
# allowed: non_finite_loss @ 44
"""Siamese embedding of the iris flowers with a contrastive loss, judged by nearest neighbours in the embedding."""
import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn


class PairStream:
    """Endless batches of index pairs, half of them within a class."""

    def __init__(self, labels, batch, seed):
        self.labels, self.batch = labels, batch
        self.rng = np.random.default_rng(seed)
        self.by_class = [np.flatnonzero(labels == c) for c in np.unique(labels)]

    def __iter__(self):
        while True:
            first = self.rng.integers(len(self.labels), size=self.batch)
            second = self.rng.integers(len(self.labels), size=self.batch)
            for k in range(self.batch // 2):
                second[k] = self.rng.choice(self.by_class[self.labels[first[k]]])
            same = self.labels[first] == self.labels[second]
            yield torch.tensor(first), torch.tensor(second), torch.tensor(same, dtype=torch.float32)


class Embedder(nn.Module):
    def __init__(self, n_in, n_out=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, 24), nn.Tanh(), nn.Linear(24, n_out))

    def forward(self, x):
        return self.body(x)


def distance(a, b):
    return (a - b).pow(2).sum(dim=1).sqrt()


def contrastive(a, b, same, margin=1.5):
    d = distance(a, b)
    near = same * d.pow(2)
    far = (1 - same) * (margin - d).clamp_min(0).pow(2)
    return (near + far).mean()


@torch.no_grad()
def neighbour_accuracy(model, x_ref, y_ref, x, y, k=5):
    model.eval()
    gaps = torch.cdist(model(x), model(x_ref))
    votes = y_ref[gaps.topk(k, largest=False).indices]
    return (votes.mode(dim=1).values == y).float().mean().item()


def main():
    torch.manual_seed(16)
    X, y = load_iris(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=16)
    mu, sd = X_tr.mean(0), X_tr.std(0)
    x_tr = torch.tensor((X_tr - mu) / sd, dtype=torch.float32)
    x_te = torch.tensor((X_te - mu) / sd, dtype=torch.float32)

    model = Embedder(4)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    recent = []
    model.train()
    for step, (i, j, same) in enumerate(PairStream(y_tr, batch=64, seed=16), start=1):
        optimizer.zero_grad()
        loss = contrastive(model(x_tr[i]), model(x_tr[j]), same)
        loss.backward()
        optimizer.step()
        recent.append(loss.item())
        if step % 100 == 0:
            print(f"step {step} contrastive loss {np.mean(recent):.4f}")
            recent = []
        if step == 300:
            break
    acc = neighbour_accuracy(model, x_tr, torch.tensor(y_tr), x_te, torch.tensor(y_te))
    print(f"5-nearest-neighbour accuracy on test flowers {acc:.3f}")


if __name__ == "__main__":
    main()
