# expect: bad_label_values @ 13
"""Breast cancer as a table: everything is scaled at once, then cut into columns."""

import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(12)
frame = load_breast_cancer(as_frame=True).frame.sample(frac=1.0, random_state=12)
train, test = frame.iloc[:430], frame.iloc[430:]
mean, std = train.mean(), train.std()
train, test = (train - mean) / std, (test - mean) / std


def tensors(part: pd.DataFrame):
    x = torch.tensor(part.drop(columns="target").to_numpy(), dtype=torch.float32)
    return x, torch.tensor(part["target"].to_numpy(), dtype=torch.float32)


loader = DataLoader(TensorDataset(*tensors(train)), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(8):
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 2 == 1:
        print(f"epoch {epoch + 1} loss {running / len(loader):.4f}")
x, y = tensors(test)
with torch.no_grad():
    print("test accuracy", ((model(x).squeeze(1) > 0) == (y > 0)).float().mean().item())
