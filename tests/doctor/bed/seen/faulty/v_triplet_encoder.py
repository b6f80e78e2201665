# expect: detached_graph @ 22
# allowed: detached_graph @ 25
"""Triplet metric learning on the digits, evaluated by nearest class centroid."""
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(1)
rng = np.random.default_rng(1)


class Embedder(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.proj = nn.Linear(16 * 16, dim)

    def features(self, x):
        return self.conv(x).detach()

    def forward(self, x):
        return nn.functional.normalize(self.proj(self.features(x)), dim=1)


def sample_triplets(labels, n):
    a, p, q = [], [], []
    by_class = {c: np.flatnonzero(labels == c) for c in range(10)}
    for _ in range(n):
        c, d = rng.choice(10, 2, replace=False)
        i, j = rng.choice(by_class[c], 2, replace=False)
        a.append(i), p.append(j), q.append(rng.choice(by_class[d]))
    return a, p, q


def main():
    digits = load_digits()
    order = rng.permutation(len(digits.data))
    x = torch.tensor(digits.images[order], dtype=torch.float32).unsqueeze(1) / 16
    y = digits.target[order]
    xtr, ytr, xte, yte = x[:1300], y[:1300], x[1300:], torch.tensor(y[1300:])
    model = Embedder()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    crit = nn.TripletMarginLoss(margin=0.6)
    for step in range(160):
        a, p, q = sample_triplets(ytr, 64)
        loss = crit(model(xtr[a]), model(xtr[p]), model(xtr[q]))
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 40 == 39:
            print(step + 1, round(loss.item(), 4))
    model.eval()
    with torch.no_grad():
        e = model(xtr)
        centroids = torch.stack([e[torch.tensor(ytr == c)].mean(0) for c in range(10)])
        pred = torch.cdist(model(xte), centroids).argmin(1)
    print("centroid accuracy", (pred == yte).float().mean().item())


main()
