# expect: duplicate_leakage @ 32
# allowed: duplicate_leakage @ 27
# allowed: duplicate_leakage @ 28
# allowed: duplicate_leakage @ 33
# allowed: duplicate_leakage @ 42
"""Fraud detection on a small unbalanced table, minority class oversampled."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split

torch.manual_seed(130)


def transactions(n=900, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 10))
    logit = 2.0 * x[:, 0] + 1.6 * x[:, 1] - 3.2
    y = rng.random(n) < 1 / (1 + np.exp(-logit))
    df = pd.DataFrame(x, columns=[f"v{i}" for i in range(10)])
    return df.assign(fraud=y.astype(int))


def oversample(df):
    fraud, clean = df[df.fraud == 1], df[df.fraud == 0]
    extra = fraud.sample(n=len(clean) - len(fraud), replace=True, random_state=0)
    return pd.concat([df, extra], ignore_index=True)


def split(df):
    df = oversample(df)
    train, test = train_test_split(df, test_size=0.3, random_state=0, stratify=df.fraud)
    return train, test


def tensors(df):
    x = torch.tensor(df.drop(columns="fraud").to_numpy(), dtype=torch.float32)
    return x, torch.tensor(df.fraud.to_numpy(), dtype=torch.float32)


train, test = split(transactions())
x, y = tensors(train)
xt, yt = tensors(test)
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(16):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x)).split(40):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x[idx]).squeeze(1), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 8 == 0:
        print(f"epoch {epoch} bce {total / len(x):.4f}")

model.eval()
with torch.no_grad():
    pred = model(xt).squeeze(1) > 0
recall = pred[yt == 1].float().mean().item()
spec = (~pred[yt == 0]).float().mean().item()
print(f"test recall {recall:.3f} specificity {spec:.3f} balanced {(recall + spec) / 2:.3f}")
