# expect: nothing
"""Churn from an event log: one row of features per customer, built with pandas."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

RNG = np.random.default_rng(3)
KINDS = ["login", "purchase", "ticket", "refund"]


def fake_customers(n):
    ids = RNG.permutation(np.arange(10_000, 10_000 + n))
    mood = RNG.normal(size=n)
    churned = (mood + 0.5 * RNG.normal(size=n) < 0.0).astype(int)
    return pd.DataFrame({"customer": ids, "mood": mood, "churned": churned})


def fake_events(customers):
    rows = []
    for cid, mood in zip(customers["customer"], customers["mood"]):
        rates = np.exp([1.2 + 0.5 * mood, 0.6 + 0.6 * mood, 0.4 - 0.6 * mood, -0.3 - 0.5 * mood])
        for kind, count in zip(KINDS, RNG.poisson(rates)):
            rows += [(cid, kind, v) for v in RNG.gamma(2.0, 10.0 if kind == "purchase" else 1.0, count + 1)]
    log = pd.DataFrame(rows, columns=["customer", "kind", "value"])
    return log.sample(frac=1.0, random_state=3).reset_index(drop=True)


def aggregate(log):
    table = log.pivot_table(index="customer", columns="kind", values="value", aggfunc=["count", "sum"])
    table.columns = ["_".join(c) for c in table.columns]
    return np.log1p(table)


def assemble(customers, log):
    features = aggregate(log)
    labels = customers.set_index("customer")["churned"].loc[features.index].to_numpy()
    return features.to_numpy(dtype=np.float32), labels.astype(np.float32)


class ChurnNet(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("mu", torch.zeros(d))
        self.register_buffer("sd", torch.ones(d))
        self.net = nn.Sequential(nn.Linear(d, 24), nn.GELU(), nn.Linear(24, 1))

    def remember_scale(self, x):
        self.mu.copy_(x.mean(0))
        self.sd.copy_(x.std(0).clamp_min(1e-6))

    def forward(self, x):
        return self.net((x - self.mu) / self.sd).squeeze(-1)


def batches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


def main():
    torch.manual_seed(3)
    customers = fake_customers(900)
    x, y = assemble(customers, fake_events(customers))
    x_tr, x_te, y_tr, y_te = map(torch.from_numpy, train_test_split(x, y, test_size=0.25, random_state=3))

    model = ChurnNet(x.shape[1])
    model.remember_scale(x_tr)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    criterion = nn.BCEWithLogitsLoss()

    for epoch in range(10):
        model.train()
        running = 0.0
        for xb, yb in batches(x_tr, y_tr, 32):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(xb)
        print(f"[{epoch:02d}] bce={running / len(x_tr):.4f}")

    model.eval()
    with torch.no_grad():
        scores = torch.sigmoid(model(x_te))
    print(f"test AUC = {roc_auc_score(y_te.numpy(), scores.numpy()):.3f}")


main()
