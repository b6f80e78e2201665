# expect: duplicate_leakage @ 35
# allowed: duplicate_leakage @ 30
# allowed: duplicate_leakage @ 31
# allowed: duplicate_leakage @ 36
"""Churn table: mixup-style supervised encoder + linear head, rare class resampled."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.utils import resample

FEATURES = [f"f{i}" for i in range(20)]
rng_state = 31


def read_customers():
    X, y = make_classification(n_samples=900, n_features=20, n_informative=6, weights=[0.88],
                               flip_y=0.06, class_sep=0.8, random_state=rng_state)
    df = pd.DataFrame(X, columns=FEATURES)
    df["churn"] = y
    return df


def balance(df):
    """Repeats the rows of the rare class until both classes are equally large."""
    major, minor = df[df.churn == 0], df[df.churn == 1]
    again = resample(minor, replace=True, n_samples=len(major) - len(minor), random_state=rng_state)
    return pd.concat([major, minor, again], ignore_index=True)


def prepare():
    df = balance(read_customers())
    train, test = train_test_split(df, test_size=0.3, stratify=df.churn, random_state=rng_state)
    center, spread = train[FEATURES].mean(), train[FEATURES].std()

    def pack(part):
        x = ((part[FEATURES] - center) / spread).to_numpy(np.float32)
        return torch.tensor(x), torch.tensor(part.churn.to_numpy(), dtype=torch.long)

    return pack(train), pack(test)


class Encoder(nn.Module):
    def __init__(self, n_in, width):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(n_in, width), nn.Linear(width, width)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(width), nn.BatchNorm1d(width)])

    def forward(self, x):
        for lin, norm in zip(self.layers, self.norms):
            x = torch.relu(norm(lin(x)))
        return x


def mixup(x, y, alpha=0.1):
    lam = float(np.random.beta(alpha, alpha))
    perm = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[perm], y, y[perm], lam


def step(net, opt, x, y, ce):
    mixed, ya, yb, lam = mixup(x, y)
    out = net(mixed)
    loss = lam * ce(out, ya) + (1 - lam) * ce(out, yb)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


np.random.seed(rng_state)
torch.manual_seed(rng_state)
(x, y), (x_test, y_test) = prepare()
net = nn.Sequential(Encoder(len(FEATURES), 96), nn.Linear(96, 2))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
ce = nn.CrossEntropyLoss()

for epoch in range(18):
    net.train()
    batches = [b for b in torch.randperm(len(x)).split(64) if len(b) > 1]
    losses = [step(net, opt, x[b], y[b], ce) for b in batches]
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d} mixup loss {np.mean(losses):.4f}")

net.eval()
with torch.no_grad():
    guess = net(x_test).argmax(dim=1).numpy()
truth = y_test.numpy()
print(f"churners in test: {truth.sum()} of {len(truth)}")
print(f"recall {recall_score(truth, guess):.3f}  F1 {f1_score(truth, guess):.3f}")
