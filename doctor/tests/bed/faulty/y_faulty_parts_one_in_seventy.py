# expect: class_imbalance @ 38
# mend: 38 → criterion = nn.BCEWithLogitsLoss(pos_weight=(1 - y_train).sum() / y_train.sum())
"""Inspection of parts: about one part in seventy is faulty."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

rng = np.random.default_rng(11)
torch.manual_seed(11)
n = 4000
faulty = (rng.random(n) < 0.015).astype(np.float32)
readings = rng.normal(size=(n, 8)).astype(np.float32)
readings[:, :3] += 1.0 * faulty[:, None]
x_train, x_test, y_train, y_test = map(
    torch.from_numpy, train_test_split(readings, faulty, test_size=0.25, stratify=faulty, random_state=0)
)


def make_model():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))


def make_step(model, criterion, optimizer):
    def step(xb, yb):
        model.train()
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


model = make_model()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
step = make_step(model, criterion, optimizer)
for epoch in range(6):
    losses = [step(x_train[rows], y_train[rows]) for rows in torch.randperm(len(x_train)).split(100)]
    print(f"epoch {epoch}: loss {np.mean(losses):.4f}")

model.eval()
with torch.no_grad():
    flagged = model(x_test) > 0
print(f"accuracy {(flagged == y_test.bool()).float().mean():.4f}")
print(f"found {int((flagged & y_test.bool()).sum())} of {int(y_test.sum())} faulty parts")
