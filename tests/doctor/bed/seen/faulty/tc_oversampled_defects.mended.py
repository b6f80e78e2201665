# expect: nothing
"""Defective castings (one in six) from eight measurements: oversampling of the defects and a small net, balanced accuracy."""
import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

SEED = 37


def measure_castings(n=1500, columns=8):
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(n, columns))
    risk = 0.9 * x[:, 0] + 0.7 * x[:, 1] * x[:, 2] - 0.6 * x[:, 3] + 0.5 * rng.normal(size=n)
    y = (risk > np.quantile(risk, 5 / 6)).astype(np.int64)
    return x * rng.uniform(0.5, 20, columns) + rng.uniform(-5, 5, columns), y


def oversample(x, y, seed):
    """Draw the rarer class with replacement until both are as many."""
    rng = np.random.default_rng(seed)
    rare = np.flatnonzero(y == 1)
    extra = rng.choice(rare, size=int((y == 0).sum() - len(rare)), replace=True)
    rows = rng.permutation(np.concatenate([np.arange(len(y)), extra]))
    return x[rows], y[rows]


class Inspector:
    def __init__(self, n_in, epochs=20, lr=3e-3):
        self.net = nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=lr, weight_decay=5e-2)
        self.epochs = epochs

    def fit(self, x, y):
        x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
        self.net.train()
        for epoch in range(self.epochs):
            total = 0.0
            for rows in torch.randperm(len(y)).split(64):
                loss = nn.functional.cross_entropy(self.net(x[rows]), y[rows])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(rows)
            if (epoch + 1) % 5 == 0:
                print(f"epoch {epoch + 1}: loss {total / len(y):.4f}")
        return self

    def predict(self, x):
        self.net.eval()
        with torch.no_grad():
            return self.net(torch.tensor(x, dtype=torch.float32)).argmax(1).numpy()


def main():
    torch.manual_seed(SEED)
    x, y = measure_castings()
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=SEED)
    x_train, y_train = oversample(x_train, y_train, seed=SEED)
    scaler = StandardScaler().fit(x_train)
    inspector = Inspector(x.shape[1]).fit(scaler.transform(x_train), y_train)
    found = inspector.predict(scaler.transform(x_test))
    print(f"{len(y_train)} training rows, {len(y_test)} test rows")
    print(f"balanced accuracy {balanced_accuracy_score(y_test, found):.3f}")


main()
