# expect: test_in_train @ 35
# allowed: test_in_train @ 79
# allowed: test_in_train @ 82
"""5-fold cross-validation of a small MLP on noisy tabular data, with EMA weights."""
import argparse
import copy

import numpy as np
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class EMA:
    """Exponential moving average of the weights; used for scoring only."""

    def __init__(self, model, decay):
        self.decay = decay
        self.shadow = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.lerp_(p, 1.0 - self.decay)


def make_folds(n, k, rng):
    return np.array_split(rng.permutation(n), k)


def fold_indices(folds, i):
    """Row numbers for training and for scoring in round i."""
    held_out = folds[i]
    train = np.concatenate([f for f in folds if len(f)])
    return train, held_out


def standardise(x, train_rows):
    mean, std = x[train_rows].mean(0), x[train_rows].std(0)
    return (x - mean) / (std + 1e-8)


def build(d_in, hidden):
    return nn.Sequential(
        nn.Linear(d_in, hidden), nn.ReLU(),
        nn.Linear(hidden, hidden), nn.ReLU(),
        nn.Linear(hidden, 2),
    )


def train_one(x, y, args):
    model = build(x.shape[1], args.hidden)
    ema = EMA(model, args.ema)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr)
    loader = DataLoader(TensorDataset(x, y), batch_size=args.batch_size, shuffle=True)
    loss_fn = nn.CrossEntropyLoss()
    for _ in range(args.epochs):
        running = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            opt.step()
            ema.update(model)
            running += loss.item() * len(yb)
    return ema.shadow, running / len(y)


@torch.no_grad()
def score(model, x, y):
    return (model(x).argmax(1) == y).float().mean().item()


def cross_validate(x, y, args):
    folds = make_folds(len(y), args.folds, np.random.default_rng(args.seed))
    results = []
    for i in range(args.folds):
        train_rows, held_rows = fold_indices(folds, i)
        xs = torch.tensor(standardise(x, train_rows), dtype=torch.float32)
        ys = torch.tensor(y)
        model, final_loss = train_one(xs[train_rows], ys[train_rows], args)
        results.append(score(model, xs[held_rows], ys[held_rows]))
        print(f"fold {i}: final train loss {final_loss:.4f}  held-out accuracy {results[-1]:.3f}")
    return results


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--folds", type=int, default=5)
    ap.add_argument("--hidden", type=int, default=48)
    ap.add_argument("--epochs", type=int, default=25)
    ap.add_argument("--batch-size", type=int, default=32)
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--ema", type=float, default=0.95)
    ap.add_argument("--seed", type=int, default=9)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = make_classification(
        n_samples=300, n_features=16, n_informative=5, n_redundant=0,
        flip_y=0.12, class_sep=0.9, random_state=args.seed,
    )
    accs = cross_validate(x, y, args)
    print(f"cross-validated accuracy {np.mean(accs):.3f} +- {np.std(accs):.3f}")


if __name__ == "__main__":
    main()
