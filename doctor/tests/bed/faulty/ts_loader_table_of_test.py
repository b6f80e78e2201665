# missed: selection_on_test @ 25
# mend: 25 →         "val": DataLoader(val_set, batch_size=64),
"""Wine net, early stopping."""
import copy

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(3)
wine = load_wine()
x = torch.tensor(wine.data, dtype=torch.float32)
y = torch.tensor(wine.target)
parts = random_split(TensorDataset(x, y), [90, 40, 48])
mean = torch.stack([r for r, _ in parts[0]]).mean(0)
std = torch.stack([r for r, _ in parts[0]]).std(0)
train_set, val_set, test_set = (TensorDataset((x[p.indices] - mean) / std, y[p.indices]) for p in parts)


def make_loaders(batch):
    return {
        "train": DataLoader(train_set, batch_size=batch, shuffle=True),
        # the val loader
        "val": DataLoader(test_set, batch_size=64),
        "test": DataLoader(test_set, batch_size=64),
    }


@torch.no_grad()
def accuracy(net, loader):
    net.eval()
    right = sum((net(a).argmax(1) == b).sum().item() for a, b in loader)
    net.train()
    return right / len(loader.dataset)


loaders = make_loaders(16)
net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
best, kept = 0.0, None
for epoch in range(25):
    for a, b in loaders["train"]:
        loss = nn.functional.cross_entropy(net(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    score = accuracy(net, loaders["val"])
    if score > best:
        best, kept = score, copy.deepcopy(net.state_dict())
net.load_state_dict(kept)
print(f"val {best:.3f} test {accuracy(net, loaders['test']):.3f}")
