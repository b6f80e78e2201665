# expect: nothing
# mends: final_predictions_with_dropout.py
"""Titanic-like survival table; the predictions at the end are made in training mode."""

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
n = 700
age, fare, sex = rng.uniform(1, 70, n), rng.exponential(30, n), rng.integers(0, 2, n)
survived = (2.5 * sex + 0.02 * fare - 0.02 * age + rng.normal(0, 0.5, n) > 0.9).astype("float32")
table = np.column_stack([age / 70, np.log1p(fare) / 5, sex]).astype("float32")
train_x, test_x = torch.tensor(table[:550]), torch.tensor(table[550:])
train_y, test_y = torch.tensor(survived[:550]), torch.tensor(survived[550:])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 64)
        self.fc2 = nn.Linear(64, 64)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(64, 1)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(x)))
        x = self.drop(torch.relu(self.fc2(x)))
        return self.out(x).squeeze(-1)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
net.train()
for epoch in range(10):
    for rows in torch.randperm(550).split(50):
        optimizer.zero_grad()
        loss = criterion(net(train_x[rows]), train_y[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    probability = torch.sigmoid(net(test_x))
predictions = (probability > 0.5).int()
print("submission", predictions[:12].tolist())
print("accuracy", (predictions == test_y.int()).float().mean().item())
