# expect: augment_on_test @ 70
# allowed: augment_on_test @ 23
"""Digits with jittered strokes: small conv net, loaders made by one helper."""
from functools import partial

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, default_collate

torch.manual_seed(64)


def jitter(batch, reach=1, grain=0.12, drop=0.12):
    images, labels = default_collate(batch)
    dy, dx = torch.randint(-reach, reach + 1, (2,)).tolist()
    images = torch.roll(images, shifts=(dy, dx), dims=(-2, -1))
    images = images * (torch.rand_like(images) > drop) + grain * torch.randn_like(images)
    return images, labels


make_loader = partial(DataLoader, batch_size=64, collate_fn=jitter)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.head = nn.Linear(32 * 4, 10)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def train(net, loader, epochs):
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = loss_fn(net(x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d}  loss {total / len(loader.dataset):.4f}")


@torch.no_grad()
def confusion(net, loader):
    net.eval()
    table = torch.zeros(10, 10, dtype=torch.long)
    for x, y in loader:
        for t, p in zip(y.tolist(), net(x).argmax(1).tolist()):
            table[t, p] += 1
    return table


digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
labels = torch.tensor(digits.target, dtype=torch.long)
a, b = train_test_split(torch.arange(len(labels)).numpy(), test_size=0.3, stratify=digits.target, random_state=64)
train_loader = make_loader(TensorDataset(images[a], labels[a]), shuffle=True)
test_loader = make_loader(TensorDataset(images[b], labels[b]))

net = Net()
train(net, train_loader, epochs=18)
table = confusion(net, test_loader)
per_class = table.diag() / table.sum(dim=1)
print(f"test accuracy {table.diag().sum().item() / table.sum().item():.3f}")
print("per class", [round(v, 2) for v in per_class.tolist()])
