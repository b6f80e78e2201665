# expect: nothing
"""Gesture recognition where recordings are stored one class after the other."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Gestures(Dataset):
    def __init__(self, per_class, seed):
        g = torch.Generator().manual_seed(seed)
        means = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))
        self.items = [(means[k] + 1.2 * torch.randn(12, generator=g), k) for k in range(6) for _ in range(per_class)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def make_loader(ds, train):
    return DataLoader(ds, batch_size=32, shuffle=train)


torch.manual_seed(4)
train_dl, test_dl = make_loader(Gestures(150, 1), True), make_loader(Gestures(50, 2), False)
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 6))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(6):
    net.train()
    for x, y in train_dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(x).argmax(1) == y).sum().item() for x, y in test_dl) / 300
    print(f"epoch {epoch}: acc {acc:.3f}")
