# missed: duplicate_leakage @ 93
# allowed: duplicate_leakage @ 94
# allowed: test_in_train @ 93
# allowed: test_in_train @ 94
# mend: 93 →     train, test = split(load_table(args.seed), args.seed)
# mend: 94 →     train = balance(train, args.seed)
"""Fraud-like table (8 % positives). Minority rows are repeated so that the net sees both classes equally."""
import argparse
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, recall_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Split(NamedTuple):
    x: np.ndarray
    y: np.ndarray


def load_table(seed):
    x, y = make_classification(n_samples=1200, n_features=20, n_informative=6, n_redundant=0, weights=[0.92],
                               flip_y=0.02, class_sep=1.2, n_clusters_per_class=3, random_state=seed)
    return Split(x.astype(np.float32), y.astype(np.float32))


def balance(data, seed):
    """Repeat random positives until there are as many as negatives."""
    rng = np.random.default_rng(seed)
    pos, neg = np.flatnonzero(data.y == 1), np.flatnonzero(data.y == 0)
    extra = rng.choice(pos, size=len(neg) - len(pos), replace=True)
    rows = rng.permutation(np.concatenate([neg, pos, extra]))
    return Split(data.x[rows], data.y[rows])


def split(data, seed):
    x_tr, x_te, y_tr, y_te = train_test_split(data.x, data.y, test_size=0.3, stratify=data.y, random_state=seed)
    return Split(x_tr, y_tr), Split(x_te, y_te)


class Table(Dataset):
    def __init__(self, data, mean, std):
        self.x = torch.from_numpy((data.x - mean) / std)
        self.y = torch.from_numpy(data.y)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class FraudTrainer:
    def __init__(self, n_features, args):
        self.net = nn.Sequential(nn.Linear(n_features, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 1))
        self.opt = torch.optim.AdamW(self.net.parameters(), lr=args.lr, weight_decay=1e-2)
        self.loss = nn.BCEWithLogitsLoss()
        self.args = args

    def fit(self, dataset):
        loader = DataLoader(dataset, batch_size=self.args.batch_size, shuffle=True)
        for epoch in range(self.args.epochs):
            self.net.train()
            losses = []
            for x, y in loader:
                loss = self.loss(self.net(x).squeeze(1), y)
                self.opt.zero_grad(set_to_none=True)
                loss.backward()
                self.opt.step()
                losses.append(loss.item())
            if epoch % 4 == 3:
                print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.4f}")

    @torch.no_grad()
    def scores(self, dataset):
        self.net.eval()
        return torch.sigmoid(self.net(dataset.x).squeeze(1)).numpy()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--batch-size", type=int, default=64)
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--seed", type=int, default=13)
    args = ap.parse_args()
    torch.manual_seed(args.seed)

    data = balance(load_table(args.seed), args.seed)
    train, test = split(data, args.seed)
    mean, std = train.x.mean(0), train.x.std(0)
    trainer = FraudTrainer(train.x.shape[1], args)
    trainer.fit(Table(train, mean, std))

    held_out = Table(test, mean, std)
    p = trainer.scores(held_out)
    print(f"test rows {len(test.y)}  positives {int(test.y.sum())}")
    print(f"average precision {average_precision_score(test.y, p):.3f}")
    print(f"recall at 0.5     {recall_score(test.y, p > 0.5):.3f}")


if __name__ == "__main__":
    main()
