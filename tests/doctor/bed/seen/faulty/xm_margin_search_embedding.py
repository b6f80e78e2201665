# expect: selection_on_test @ 72
# allowed: selection_on_test @ 78
# allowed: selection_on_test @ 82
"""Contrastive embedding of noisy digits: look for a good margin, width and rate."""
import itertools

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def load(seed):
    d = load_digits()
    rng = np.random.default_rng(seed)
    keep = rng.permutation(len(d.target))[:420]
    X = d.images[keep].astype(np.float32) / 16.0
    X = X + 0.45 * rng.standard_normal(X.shape).astype(np.float32)
    return torch.tensor(X, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target[keep])


class Encoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.fc = nn.Linear(width * 16, 16)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.conv(x)), 2)
        return F.normalize(self.fc(h.flatten(1)), dim=1)


def contrastive(z, y, margin):
    d2 = 2 - 2 * z @ z.t()
    same = (y[:, None] == y[None, :]).float()
    off = 1 - torch.eye(len(y))
    pos = (same * off * d2).sum() / (same * off).sum().clamp(min=1)
    neg = ((1 - same) * F.relu(margin - d2)).sum() / (1 - same).sum().clamp(min=1)
    return pos + 2 * neg


def fit(X, y, margin, width, lr, epochs=9):
    torch.manual_seed(0)
    enc = Encoder(width)
    opt = torch.optim.Adam(enc.parameters(), lr=lr)
    for _ in range(epochs):
        enc.train()
        for idx in torch.randperm(len(X)).split(50):
            opt.zero_grad()
            loss = contrastive(enc(X[idx]), y[idx], margin)
            loss.backward()
            opt.step()
    return enc


@torch.no_grad()
def knn_accuracy(enc, X_ref, y_ref, X_q, y_q, k=3):
    enc.eval()
    nn_idx = (enc(X_q) @ enc(X_ref).t()).topk(k, dim=1).indices
    return (y_ref[nn_idx].mode(dim=1).values == y_q).float().mean().item()


X, y = load(seed=0)
X_fit, X_test, y_fit, y_test = train_test_split(X, y, test_size=70, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X_fit, y_fit, test_size=70, stratify=y_fit, random_state=0)

results = {}
for margin, width, lr in itertools.product([0.5, 0.8, 1.0, 1.5], [8, 16], [5e-3, 1e-2]):
    enc = fit(X_train, y_train, margin, width, lr)
    score = knn_accuracy(enc, X_train, y_train, X_test, y_test)
    results[(margin, width, lr)] = (score, enc)

for key, (score, _) in results.items():
    print("margin %.1f width %2d lr %.3f -> %.3f" % (*key, score))

best = max(results, key=lambda k: results[k][0])
best_enc = results[best][1]
print("chosen:", best)
print("val  accuracy: %.3f" % knn_accuracy(best_enc, X_train, y_train, X_val, y_val))
print("test accuracy: %.3f" % knn_accuracy(best_enc, X_train, y_train, X_test, y_test))
