# expect: nothing
"""Flags the few fraudulent card histories among made-up ones: GRU over the last twelve payments, PR figures."""
import argparse

import numpy as np
import torch
from sklearn.metrics import average_precision_score, recall_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def card_histories(n, rate, rng):
    fraud = (rng.random(n) < rate).astype(np.float32)
    amount = rng.lognormal(3.0, 0.6, (n, 12))
    gap = rng.exponential(20.0, (n, 12))
    abroad = (rng.random((n, 12)) < 0.08).astype(float)
    bad = (fraud == 1) | (rng.random(n) < 0.09)
    amount[bad, -4:] *= rng.uniform(1.2, 2.4, (bad.sum(), 4))
    gap[bad, -4:] *= rng.uniform(0.1, 0.7, (bad.sum(), 4))
    abroad[bad, -4:] = (rng.random((bad.sum(), 4)) < 0.35).astype(float)
    return np.stack([np.log(amount), np.log1p(gap), abroad], axis=-1).astype(np.float32), fraud


class FraudGRU(nn.Module):
    def __init__(self, hidden=16, dropout=0.1):
        super().__init__()
        self.gru = nn.GRU(3, hidden, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.out(self.drop(h[-1])).squeeze(-1)


def positive_weight(labels):
    """How many ordinary histories there are for each fraudulent one."""
    positives = labels.sum()
    return ((len(labels) - positives) / positives.clamp(min=1)).clamp(max=50.0)


def fit(model, loader, loss_fn, epochs, lr):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total, seen = 0.0, 0
        for x, y in loader:
            loss = loss_fn(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total, seen = total + loss.item() * len(y), seen + len(y)
        print(f"epoch {epoch + 1}  loss {total / seen:.4f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rows", type=int, default=3200)
    ap.add_argument("--rate", type=float, default=0.04)
    ap.add_argument("--epochs", type=int, default=5)
    ap.add_argument("--lr", type=float, default=4e-3)
    args = ap.parse_args()
    torch.manual_seed(13)
    rng = np.random.default_rng(13)

    x, y = card_histories(args.rows, args.rate, rng)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, stratify=y, random_state=13)
    mean, std = xa.mean(axis=(0, 1)), xa.std(axis=(0, 1))
    xa, xb = (xa - mean) / std, (xb - mean) / std
    xa, xb, ya, yb = map(torch.from_numpy, (xa, xb, ya, yb))

    loader = DataLoader(TensorDataset(xa, ya), batch_size=64, shuffle=True)
    model = FraudGRU()
    fit(model, loader, nn.BCEWithLogitsLoss(pos_weight=positive_weight(ya)), args.epochs, args.lr)

    model.eval()
    with torch.no_grad():
        prob = torch.sigmoid(model(xb)).numpy()
    flagged = prob > 0.5
    truth = yb.numpy().astype(int)
    print(f"flagged {flagged.sum()} of {len(truth)}, frauds there {truth.sum()}")
    specificity = recall_score(1 - truth, ~flagged)
    print(f"recall {recall_score(truth, flagged):.3f}  specificity {specificity:.3f}  "
          f"average precision {average_precision_score(truth, prob):.3f}")


if __name__ == "__main__":
    main()
