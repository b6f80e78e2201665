# missed: label_misaligned @ 42
# allowed: label_misaligned @ 34
# allowed: label_misaligned @ 43
# allowed: label_misaligned @ 85
# allowed: label_misaligned @ 86
# mend: 42 →     both = weather.merge(counts, on="station", validate="one_to_one")
# mend: 43 →     X = both[FEATURES].to_numpy(dtype=np.float32)
# mend: 43 +     y = both["rentals"].to_numpy(dtype=np.float32)
# Bike rentals per station: weather table + counts table, small MLP, 4-fold CV on top of a held-out test part.
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import KFold, train_test_split

torch.manual_seed(0)
rng = np.random.default_rng(0)


def load_tables(n=400):
    """Two files with the same station ids, as they come from two departments."""
    ids = rng.permutation(np.arange(10_000, 10_000 + n))
    weather = pd.DataFrame({
        "station": ids,
        "temp": rng.normal(14, 7, n),
        "wind": rng.gamma(3, 4, n),
        "rain": rng.exponential(1.5, n),
        "center_km": rng.uniform(0.2, 12, n),
        "docks": rng.integers(8, 40, n).astype(float),
    })
    rentals = (60 + 4.5 * weather.temp - 1.2 * weather.wind - 9 * weather.rain.clip(upper=5)
               - 6 * weather.center_km + 1.8 * weather.docks + rng.normal(0, 9, n))
    counts = pd.DataFrame({"station": ids, "rentals": rentals}).sort_values("station")
    return weather, counts.reset_index(drop=True)


FEATURES = ["temp", "wind", "rain", "center_km", "docks"]


def assemble(weather, counts):
    X = weather[FEATURES].to_numpy(dtype=np.float32)
    y = counts["rentals"].to_numpy(dtype=np.float32)
    return X, y


class Standardizer:
    def fit(self, a):
        self.mean, self.std = a.mean(axis=0), a.std(axis=0)
        return self

    def __call__(self, a):
        return torch.from_numpy((a - self.mean) / self.std).float()

    def undo(self, t):
        return t.numpy() * self.std + self.mean


class Regressor:
    def __init__(self, epochs=40, lr=1e-2, bs=32):
        self.epochs, self.lr, self.bs = epochs, lr, bs

    def fit(self, X, y):
        self.sx, self.sy = Standardizer().fit(X), Standardizer().fit(y)
        Xt, yt = self.sx(X), self.sy(y)
        self.net = nn.Sequential(nn.Linear(X.shape[1], 24), nn.Tanh(), nn.Linear(24, 1), nn.Flatten(0))
        opt = torch.optim.Adam(self.net.parameters(), lr=self.lr, weight_decay=1e-4)
        self.history = []
        for _ in range(self.epochs):
            total = 0.0
            for idx in torch.randperm(len(Xt)).split(self.bs):
                opt.zero_grad()
                loss = nn.functional.mse_loss(self.net(Xt[idx]), yt[idx])
                loss.backward()
                opt.step()
                total += loss.item() * len(idx)
            self.history.append(total / len(Xt))
        return self

    def predict(self, X):
        with torch.no_grad():
            return self.sy.undo(self.net(self.sx(X)))


weather, counts = load_tables()
X, y = assemble(weather, counts)
X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=0.2, random_state=3)

scores = []
for fold, (tr, va) in enumerate(KFold(n_splits=4, shuffle=True, random_state=3).split(X_dev)):
    reg = Regressor(epochs=15).fit(X_dev[tr], y_dev[tr])
    scores.append(r2_score(y_dev[va], reg.predict(X_dev[va])))
    print(f"fold {fold}: train loss {reg.history[0]:.3f} -> {reg.history[-1]:.3f}, R2 {scores[-1]:.3f}")
print(f"CV R2 {np.mean(scores):.3f} +/- {np.std(scores):.3f}")

final = Regressor(epochs=15).fit(X_dev, y_dev)
pred = final.predict(X_test)
print(f"test R2 {r2_score(y_test, pred):.3f}, MAE {mean_absolute_error(y_test, pred):.1f} rentals")
