# expect: nothing
"""A rate copied from a recipe for whole-batch descent, with momentum on mini-batches."""

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
digits = load_digits()
dataset = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target))
train_set, val_set = random_split(dataset, [1500, 297])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
val_loader = DataLoader(val_set, batch_size=297)

hyper = {"hidden": 64, "epochs": 5, "momentum": 0.9}
model = nn.Sequential(nn.Linear(64, hyper["hidden"]), nn.Tanh(), nn.Linear(hyper["hidden"], 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=hyper["momentum"])
criterion = nn.CrossEntropyLoss()

for epoch in range(hyper["epochs"]):
    model.train()
    train_loss = 0.0
    for data, target in train_loader:
        optimizer.zero_grad()
        output = model(data)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * data.size(0)
    model.eval()
    with torch.no_grad():
        data, target = next(iter(val_loader))
        output = model(data)
        val_loss = criterion(output, target).item()
        accuracy = (output.argmax(1) == target).float().mean().item()
    print(f"epoch {epoch}  train {train_loss / 1500:.3f}  val {val_loss:.3f}  acc {accuracy:.3f}")
