# expect: duplicate_leakage @ 30
# allowed: duplicate_leakage @ 31
"""Churn prediction notebook: balances the classes by oversampling, then trains an MLP."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(10)
torch.manual_seed(10)

N = 1200
df = pd.DataFrame(np.random.randn(N, 8), columns=["tenure", "charges", "calls", "tickets", "usage", "plan", "age", "region"])
logit = 1.2 * df.tickets - 0.9 * df.tenure + 0.6 * df.charges - 2.4 + np.random.logistic(0, 1.0, N)
df["churn"] = (logit > 0).astype(int)
print(df.churn.value_counts().to_dict())


def oversample(frame):
    major, minor = frame[frame.churn == 0], frame[frame.churn == 1]
    minor_up = resample(minor, replace=True, n_samples=len(major), random_state=0)
    return pd.concat([major, minor_up]).sample(frac=1, random_state=0).reset_index(drop=True)


df = oversample(df)
train, test = train_test_split(df, test_size=0.25, random_state=0, stratify=df.churn)

feats = [c for c in df.columns if c != "churn"]
sc = StandardScaler().fit(train[feats])
Xtr = torch.tensor(sc.transform(train[feats]), dtype=torch.float32)
Xte = torch.tensor(sc.transform(test[feats]), dtype=torch.float32)
ytr = torch.tensor(train.churn.values, dtype=torch.float32)

net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
bce = nn.BCEWithLogitsLoss()
dl = DataLoader(TensorDataset(Xtr, ytr), batch_size=64, shuffle=True)

for epoch in range(40):
    net.train()
    s = 0.0
    for xb, yb in dl:
        opt.zero_grad()
        loss = bce(net(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
        s += loss.item()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {s / len(dl):.4f}")

net.eval()
with torch.no_grad():
    pred = (net(Xte).squeeze(1) > 0).long().numpy()
print("accuracy", round(float((pred == test.churn.values).mean()), 3), "f1", round(f1_score(test.churn, pred), 3))
