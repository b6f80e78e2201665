# expect: scheduler_misuse @ 43
# allowed: scheduler_misuse @ 48
"""The rate goes down when the validation accuracy 'no longer improves'; smaller counts as better."""

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)
order = torch.randperm(len(x))
train_rows, val_rows = order[:1400], order[1400:]
train_loader = DataLoader(TensorDataset(x[train_rows], y[train_rows]), batch_size=64, shuffle=True)
val_loader = DataLoader(TensorDataset(x[val_rows], y[val_rows]), batch_size=200)


def train(model, loader, optimizer, criterion):
    model.train()
    total = 0.0
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def validate(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for inputs, targets in loader:
            correct += (model(inputs).argmax(1) == targets).sum().item()
    return correct / len(loader.dataset)


model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = optim.SGD(model.parameters(), lr=0.1)
scheduler = ReduceLROnPlateau(optimizer, factor=0.2, patience=1)
criterion = nn.CrossEntropyLoss()
for epoch in range(12):
    loss = train(model, train_loader, optimizer, criterion)
    val_acc = validate(model, val_loader)
    scheduler.step(val_acc)
    print(f"epoch {epoch} loss {loss:.4f} val acc {val_acc:.4f} lr {optimizer.param_groups[0]['lr']:.6f}")
