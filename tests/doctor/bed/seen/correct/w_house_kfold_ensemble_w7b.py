# expect: nothing
"""Kaggle-like regression: entity embeddings for categories, medians from the fold's own rows, five folds, blended predictions for the held-out table."""
import copy

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import KFold, train_test_split
from torch import nn

NUM, CAT = ["lot", "living", "age", "bath"], ["zone", "heating"]


def read_table(n=1300, seed=1):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "lot": rng.lognormal(6.2, 0.4, n), "living": rng.lognormal(4.7, 0.3, n),
        "age": rng.gamma(2, 18, n), "bath": rng.integers(1, 4, n).astype(float),
        "zone": rng.choice(list("ABCDEF"), n), "heating": rng.choice(["gas", "oil", "pump"], n, p=[0.5, 0.2, 0.3]),
    })
    zone = df.zone.map(dict(zip("ABCDEF", [-0.3, -0.1, 0.0, 0.1, 0.25, 0.4])))
    logp = 7.5 + 0.9 * np.log(df.living) + 0.15 * np.log(df.lot) - 0.004 * df.age + 0.05 * df.bath + zone
    df["price"] = np.exp(logp + 0.08 * (df.heating == "pump") + rng.normal(0, 0.09, n))
    for column in ("lot", "age"):
        df.loc[rng.random(n) < 0.06, column] = np.nan
    return df.sort_values("price", ignore_index=True)


class Encoder:
    def fit(self, df):
        self.median = df[NUM].median()
        filled = self._numbers(df)
        self.mean, self.std = filled.mean(), filled.std()
        self.levels = {c: {v: i + 1 for i, v in enumerate(sorted(df[c].unique()))} for c in CAT}
        logs = np.log(df["price"])
        self.centre, self.spread = logs.mean(), logs.std()
        return self

    def _numbers(self, df):
        numbers = df[NUM].fillna(self.median)
        return numbers.assign(lot=np.log(numbers.lot), living=np.log(numbers.living))

    def inputs(self, df):
        numbers = (self._numbers(df) - self.mean) / self.std
        codes = np.stack([df[c].map(self.levels[c]).fillna(0).astype(int) for c in CAT], axis=1)
        return torch.tensor(numbers.to_numpy(), dtype=torch.float32), torch.tensor(codes)

    def target(self, df):
        return torch.tensor(((np.log(df["price"]) - self.centre) / self.spread).to_numpy(), dtype=torch.float32)


class Net(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(s + 1, 3) for s in sizes)
        self.mlp = nn.Sequential(nn.Linear(len(NUM) + 3 * len(sizes), 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, numbers, codes):
        extra = [t(c) for t, c in zip(self.tables, codes.unbind(1))]
        return self.mlp(torch.cat([numbers, *extra], 1)).squeeze(1)


def predict(net, inputs):
    net.eval()
    with torch.no_grad():
        return net(*inputs)


def fit_fold(train, valid, epochs=14):
    enc = Encoder().fit(train)
    (num, cat), y = enc.inputs(train), enc.target(train)
    valid_inputs, valid_y = enc.inputs(valid), enc.target(valid)
    net = Net([len(enc.levels[c]) for c in CAT])
    opt = torch.optim.AdamW(net.parameters(), lr=8e-3, weight_decay=1e-2)
    sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=2)
    best, keep = np.inf, None
    for _ in range(epochs):
        net.train()
        for rows in torch.randperm(len(y)).split(64):
            opt.zero_grad()
            nn.functional.mse_loss(net(num[rows], cat[rows]), y[rows]).backward()
            opt.step()
        loss = nn.functional.mse_loss(predict(net, valid_inputs), valid_y).item()
        sched.step(loss)
        if loss < best:
            best, keep = loss, copy.deepcopy(net.state_dict())
    net.load_state_dict(keep)
    return net, enc, best


if __name__ == "__main__":
    torch.manual_seed(1)
    dev, test = train_test_split(read_table(), test_size=0.2, random_state=1)
    blend = np.zeros(len(test))
    for tr, va in KFold(5, shuffle=True, random_state=1).split(dev):
        net, enc, best = fit_fold(dev.iloc[tr], dev.iloc[va])
        blend += (predict(net, enc.inputs(test)).numpy() * enc.spread + enc.centre) / 5
        print(f"fold validation rmse (log) {np.sqrt(best) * enc.spread:.4f}")
    print(f"test rmse (log) {np.sqrt(np.mean((blend - np.log(test.price)) ** 2)):.4f}, spread {np.log(test.price).std():.4f}")
