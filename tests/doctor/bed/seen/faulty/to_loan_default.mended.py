# expect: nothing
"""Loan default model on a made-up credit book: pandas preprocessing, entity embeddings for
the two categorical columns, weighted evaluation per region."""
import logging
import sys

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger("loans")

NUMERIC = ["income", "loan_amount", "balance", "age", "utilisation", "inquiries"]
CATEGORIES = {"region": ["north", "south", "east", "west"], "purpose": ["car", "home", "study", "other"]}


def credit_book(n=3200, seed=13):
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10.7, 0.45, n)
    df = pd.DataFrame({
        "income": income,
        "loan_amount": income * rng.uniform(0.1, 0.9, n),
        "balance": rng.gamma(1.5, 9000, n),
        "age": rng.integers(20, 70, n),
        "utilisation": rng.beta(2, 3, n),
        "inquiries": rng.poisson(1.5, n),
        "region": rng.choice(CATEGORIES["region"], n),
        "purpose": rng.choice(CATEGORIES["purpose"], n),
    })
    z = (4.0 * (df["utilisation"] - 0.4) + 0.5 * (df["inquiries"] - 1.5) - 0.04 * (df["age"] - 45)
         + 2.5 * (df["loan_amount"] / df["income"] - 0.5) - 0.00003 * (df["balance"] - 13500)
         + df["purpose"].map({"car": 0.4, "home": -0.5, "study": 0.0, "other": 0.3}))
    df["default"] = (rng.random(n) < 1 / (1 + np.exp(-1.4 * z))).astype(int)
    for column, levels in CATEGORIES.items():
        df[column] = pd.Categorical(df[column], categories=levels).codes
    return df


def prepare(df, seed):
    df = df.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    border = int(0.75 * len(df))
    train, test = df.iloc[:border], df.iloc[border:]
    scaler = StandardScaler().fit(train[NUMERIC])
    train_scaled, test_scaled = train.copy(), test.copy()
    for frame in (train_scaled, test_scaled):
        frame[NUMERIC] = pd.DataFrame(scaler.transform(frame[NUMERIC]), columns=NUMERIC, index=frame.index)
    return as_tensors(train_scaled), as_tensors(test_scaled), test


def as_tensors(frame):
    return (torch.tensor(frame[NUMERIC].to_numpy(dtype="float32")),
            torch.tensor(frame[list(CATEGORIES)].to_numpy(dtype="int64")),
            torch.tensor(frame["default"].to_numpy(dtype="float32")))


class DefaultNet(nn.Module):
    def __init__(self, dim=3):
        super().__init__()
        self.tables = nn.ModuleDict({name: nn.Embedding(len(levels), dim) for name, levels in CATEGORIES.items()})
        self.body = nn.Sequential(nn.Linear(len(NUMERIC) + dim * len(CATEGORIES), 32), nn.Tanh(),
                                  nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, numeric, codes):
        embedded = [table(codes[:, i]) for i, table in enumerate(self.tables.values())]
        return self.body(torch.cat([numeric, *embedded], dim=1)).squeeze(1)


def train_model(model, numeric, codes, label, epochs=10, batch_size=64):
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        model.train()
        seen = 0.0
        for rows in torch.randperm(len(label)).split(batch_size):
            loss = loss_fn(model(numeric[rows], codes[rows]), label[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            seen += loss.item() * len(rows)
        log.info("epoch %2d  log loss %.4f", epoch + 1, seen / len(label))


@torch.no_grad()
def accuracy_by_region(model, numeric, codes, label, frame):
    model.eval()
    hit = ((model(numeric, codes) > 0).float() == label).numpy()
    regions = frame["region"].map(dict(enumerate(CATEGORIES["region"]))).to_numpy()
    return pd.Series(hit).groupby(regions).mean().round(3), hit.mean()


if __name__ == "__main__":
    torch.manual_seed(13)
    train, test, test_frame = prepare(credit_book(), seed=13)
    log.info("default rate %.3f in training, %.3f in test", train[2].mean(), test[2].mean())
    net = DefaultNet()
    train_model(net, *train)
    table, overall = accuracy_by_region(net, *test, test_frame)
    log.info("%s", table.to_string())
    log.info("overall accuracy %.3f", overall)
