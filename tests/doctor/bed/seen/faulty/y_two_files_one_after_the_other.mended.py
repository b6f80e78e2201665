# expect: nothing
"""Healthy and sick patients come from two tables and are read in that order."""

import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
frame = load_breast_cancer(as_frame=True).frame
healthy, sick = frame[frame.target == 1], frame[frame.target == 0]
train = pd.concat([healthy[:280], sick[:160]])
test = pd.concat([healthy[280:], sick[160:]])
mean, std = train.drop(columns="target").mean(), train.drop(columns="target").std()


def dataset(part):
    x = ((part.drop(columns="target") - mean) / std).to_numpy("float32")
    return TensorDataset(torch.tensor(x), torch.tensor(part.target.to_numpy(), dtype=torch.float32))


train_loader = DataLoader(dataset(train), batch_size=20, shuffle=True)
test_loader = DataLoader(dataset(test), batch_size=200)

model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.BCEWithLogitsLoss()

for epoch in range(5):
    model.train()
    losses = []
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x).squeeze(-1), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        x, y = next(iter(test_loader))
        accuracy = ((model(x).squeeze(-1) > 0) == y.bool()).float().mean().item()
    print(f"{epoch}: first {losses[0]:.3f} worst {max(losses):.3f} last {losses[-1]:.3f} acc {accuracy:.3f}")
