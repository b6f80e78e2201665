# expect: nothing
"""Subset by ranges of a dataset that was generated class after class."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
centres = torch.tensor([[0.0, 2.0], [2.0, 0.0], [-2.0, -1.0], [1.5, 2.5]])
points = torch.cat([c + 0.6 * torch.randn(100, 2) for c in centres])
labels = torch.arange(4).repeat_interleave(100)
dataset = TensorDataset(points, labels)
order = torch.randperm(400).tolist()
train_set = Subset(dataset, order[:320])
test_set = Subset(dataset, order[320:])

train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
test_loader = DataLoader(test_set, batch_size=80)
model = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        x, y = next(iter(test_loader))
        accuracy = (model(x).argmax(1) == y).float().mean().item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.3f} test accuracy {accuracy:.3f}")
