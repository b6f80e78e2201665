# expect: test_in_train @ 18
# allowed: test_in_train @ 17
# allowed: test_in_train @ 19
# allowed: test_in_train @ 29
# allowed: test_in_train @ 34
"""Noisy-label tabular classifier with random_split and a held-out report."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def build_data():
    g = torch.Generator().manual_seed(8)
    x = torch.randn(500, 16, generator=g)
    y = (x[:, 0] + x[:, 1] + 0.8 * torch.randn(500, generator=g) > 0).long()
    full = TensorDataset(x, y)
    train_set, test_set = random_split(full, [375, 125], generator=g)
    train_loader = DataLoader(full, batch_size=25, shuffle=True)
    return train_loader, DataLoader(test_set, batch_size=125)


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


torch.manual_seed(8)
train_loader, test_loader = build_data()
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(14):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
print("train", evaluate(model, train_loader), "test", evaluate(model, test_loader))
