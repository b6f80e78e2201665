# expect: scaler_leakage @ 13
"""Diabetes progression; features standardised as one tensor, then split."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
data = load_diabetes(scaled=False)
x = torch.tensor(data.data, dtype=torch.float32)
y = torch.tensor(data.target, dtype=torch.float32)
x = (x - x.mean(dim=0)) / x.std(dim=0)
y = y / 100

dataset = TensorDataset(x, y)
train_set, test_set = random_split(dataset, [342, 100])
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
test_loader = DataLoader(test_set, batch_size=100)

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)


def train_one_epoch():
    model.train()
    total = 0.0
    for features, target in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(features).squeeze(1), target)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(target)
    return total / len(train_set)


@torch.no_grad()
def evaluate():
    model.eval()
    return sum(loss_fn(model(f).squeeze(1), t).item() * len(t) for f, t in test_loader) / len(test_set)


for epoch in range(12):
    print(f"{epoch} train {train_one_epoch():.4f}")
print(f"test mse {evaluate():.4f}")
