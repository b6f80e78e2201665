# expect: nothing
"""Bike rental competition: count of hires per day from weather; train and test files go through one clean-up."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn

COLUMNS = ["temp", "humidity", "wind", "rain", "holiday", "weekday_sin", "weekday_cos"]


def read_files(seed=99, n=900):
    rng = np.random.default_rng(seed)
    day = np.arange(n)
    df = pd.DataFrame({
        "temp": 12 + 9 * np.sin(2 * np.pi * day / 365) + rng.normal(0, 3, n),
        "humidity": rng.beta(5, 3, n) * 100,
        "wind": rng.gamma(2.0, 6.0, n),
        "rain": rng.exponential(3.0, n) * (rng.random(n) < 0.4),
        "holiday": (rng.random(n) < 0.1).astype(float),
        "weekday": day % 7,
    })
    base = 4 + 0.06 * df.temp - 0.02 * df.wind - 0.09 * df.rain - 0.008 * df.humidity - 0.3 * df.holiday
    df["hires"] = np.round(np.exp(base + 0.25 * (df.weekday < 5) + rng.normal(0, 0.15, n)))
    train, test = train_test_split(df, test_size=0.3, random_state=seed)
    return train.reset_index(drop=True), test.reset_index(drop=True)


def add_features(df):
    angle = 2 * np.pi * df.weekday / 7
    return df.assign(weekday_sin=np.sin(angle), weekday_cos=np.cos(angle), rain=np.log1p(df.rain))


def standardise(train, test, columns):
    rows = train[columns]
    mean, std = rows.mean(), rows.std()
    return (train[columns] - mean) / std, (test[columns] - mean) / std


def as_tensor(frame):
    return torch.tensor(frame.to_numpy(), dtype=torch.float32)


train_df, test_df = (add_features(d) for d in read_files())
train_x, test_x = map(as_tensor, standardise(train_df, test_df, COLUMNS))
train_y, test_y = (as_tensor(np.log1p(d.hires)) for d in (train_df, test_df))
centre = train_y.mean()

torch.manual_seed(99)
committee = []
for member in range(3):
    net = nn.Sequential(nn.Linear(len(COLUMNS), 32), nn.Tanh(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-5)
    for epoch in range(25):
        for pick in torch.randperm(len(train_x)).split(42):
            loss = nn.functional.smooth_l1_loss(net(train_x[pick])[:, 0], train_y[pick] - centre)
            opt.zero_grad()
            loss.backward()
            opt.step()
    print(f"member {member}: last batch loss {loss.item():.4f}")
    committee.append(net.eval())

with torch.no_grad():
    guess = torch.stack([net(test_x)[:, 0] + centre for net in committee]).mean(0)
print(f"RMSLE {((guess - test_y) ** 2).mean().sqrt():.4f}  "
      f"(always the mean: {((centre - test_y) ** 2).mean().sqrt():.4f})")
