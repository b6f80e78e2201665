# expect: nothing
# mends: baseline_before_training.py
"""The untrained net is measured first; training then runs in eval mode to the end."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return ((model(x) > 0).float() == y).float().mean().item()


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_a, X_b, y_a, y_b = train_test_split(X, y, test_size=0.25, random_state=5, stratify=y)
scaler = StandardScaler().fit(X_a)
X_a = torch.tensor(scaler.transform(X_a), dtype=torch.float32)
X_b = torch.tensor(scaler.transform(X_b), dtype=torch.float32)
y_a, y_b = torch.tensor(y_a).float().unsqueeze(1), torch.tensor(y_b).float().unsqueeze(1)

model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.25), nn.Linear(32, 1))
print(f"before training {accuracy(model, X_b, y_b):.3f}")
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.BCEWithLogitsLoss()
model.train()
for _epoch in range(8):
    for idx in torch.randperm(len(X_a)).split(64):
        loss = loss_fn(model(X_a[idx]), y_a[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
print(f"after training {accuracy(model, X_b, y_b):.3f}")
