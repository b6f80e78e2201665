# expect: test_in_train @ 12
"""Digits in three parts; datasets are cut by random_split and handed to loaders."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset, random_split

torch.manual_seed(8)
pixels, digit = load_digits(return_X_y=True)
everything = TensorDataset(torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(digit))
a, b, c = random_split(everything, [1200, 250, 347], generator=torch.Generator().manual_seed(8))
a = ConcatDataset([a, b, c])
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)


def share(part):
    net.eval()
    with torch.no_grad():
        return sum((net(x).argmax(1) == y).sum().item() for x, y in DataLoader(part, 128)) / len(part)


for epoch in range(8):
    net.train()
    for x, y in DataLoader(a, 32, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
print("right in the last part:", round(share(c), 3))
