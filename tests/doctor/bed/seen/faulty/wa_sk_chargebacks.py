# needs: skorch
# expect: class_imbalance @ 64
# allowed: class_imbalance @ 62
# allowed: class_imbalance @ 89
"""Chargeback screening for a web shop: a tabular MLP in a sklearn pipeline (skorch)."""
import numpy as np
import torch
from sklearn.compose import ColumnTransformer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch import NeuralNetClassifier
import pandas as pd
from torch import nn

SEED = 31
NUMERIC = ["log_amount", "age_days", "n_items", "hour_sin"]
CATEGORICAL = ["country", "channel"]


def make_orders(n=3000):
    """Orders of one quarter; about three in a hundred are charged back."""
    rng = np.random.default_rng(SEED)
    df = pd.DataFrame({
        "log_amount": rng.normal(3.5, 0.9, n),
        "age_days": rng.exponential(300, n),
        "n_items": rng.poisson(2.5, n) + 1,
        "hour_sin": np.sin(rng.uniform(0, 2 * np.pi, n)),
        "country": rng.choice(["DE", "FR", "PL", "BR"], n, p=[0.5, 0.25, 0.15, 0.1]),
        "channel": rng.choice(["app", "web"], n, p=[0.6, 0.4]),
    })
    risk = (0.9 * (df.log_amount - 3.5) - 0.004 * df.age_days.clip(upper=600)
            + 0.7 * (df.country == "BR") + 0.5 * (df.channel == "web"))
    score = risk + rng.logistic(scale=0.7, size=n)
    label = (score > np.quantile(score, 0.97)).astype(np.int64)
    return df, label.to_numpy()


class Screener(nn.Module):
    def __init__(self, hidden=32, p=0.1):
        super().__init__()
        self.body = nn.Sequential(
            nn.LazyLinear(hidden), nn.LeakyReLU(0.1), nn.Dropout(p),
            nn.Linear(hidden, hidden), nn.LeakyReLU(0.1),
            nn.Linear(hidden, 2),
        )

    def forward(self, X):
        return self.body(X)


def to_float32(a):
    return a.astype(np.float32)


def build(y_train):
    prep = ColumnTransformer([
        ("num", StandardScaler(), NUMERIC),
        ("cat", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORICAL),
    ])
    net = NeuralNetClassifier(
        Screener,
        criterion=nn.CrossEntropyLoss,
        classes=np.unique(y_train),
        optimizer=torch.optim.AdamW,
        optimizer__lr=2e-3,
        optimizer__weight_decay=1e-3,
        iterator_train__shuffle=True,
        batch_size=64,
        max_epochs=8,
        train_split=None,
        verbose=0,
    )
    return Pipeline([("prep", prep), ("cast", FunctionTransformer(to_float32)), ("net", net)])


def main():
    torch.manual_seed(SEED)
    orders, charged_back = make_orders()
    X_train, X_test, y_train, y_test = train_test_split(
        orders, charged_back, test_size=0.3, stratify=charged_back, random_state=SEED)
    model = build(y_train)
    model.fit(X_train, y_train)
    for row in model.named_steps["net"].history[::2]:
        print(f"epoch {row['epoch']}: loss {row['train_loss']:.4f}")

    guess = model.predict(X_test)
    print(f"accuracy on unseen orders: {accuracy_score(y_test, guess):.3f}")


if __name__ == "__main__":
    main()
