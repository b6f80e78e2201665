# expect: nothing
"""Fault detection in a made-up pump table; the rare class is filled up with synthetic rows."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)


def oversample(x, y, label, n, k=5):
    rare = x[y == label]
    near = NearestNeighbors(n_neighbors=k + 1).fit(rare).kneighbors(rare, return_distance=False)[:, 1:]
    new = []
    for _ in range(n):
        i = rng.integers(len(rare))
        j = rng.choice(near[i])
        new.append(rare[i] + rng.random() * (rare[j] - rare[i]))
    return np.vstack([x, np.array(new)]), np.concatenate([y, np.full(n, label)])


def load():
    x, y = load_breast_cancer(return_X_y=True)
    y = 1 - y
    keep = (y == 0) | (rng.random(len(y)) < 0.25)
    return x[keep], y[keep]


x, y = load()
print("positives", int(y.sum()), "of", len(y))

x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=1, stratify=y)
n_new = int((y_train == 0).sum() - (y_train == 1).sum())
x_train, y_train = oversample(x_train, y_train, 1, n_new)
scaler = StandardScaler().fit(x_train)
x_train = torch.tensor(scaler.transform(x_train), dtype=torch.float32)
x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)
y_train = torch.tensor(y_train, dtype=torch.float32)

net = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(25):
    net.train()
    order = torch.randperm(len(x_train))
    for i in range(0, len(order), 32):
        rows = order[i : i + 32]
        optimizer.zero_grad()
        loss = loss_fn(net(x_train[rows]).squeeze(1), y_train[rows])
        loss.backward()
        optimizer.step()

net.eval()
with torch.no_grad():
    said = (net(x_test).squeeze(1) > 0).int().numpy()
print("F1", round(f1_score(y_test, said), 4))
