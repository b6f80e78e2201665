# missed: label_misaligned @ 84
# allowed: label_misaligned @ 66
# allowed: label_misaligned @ 93
# mend: 84 →     train_feats = extract(backbone, DataLoader(probe_train, batch_size=64, shuffle=False))
"""Linear probe on frozen features.

1. pretrain a small conv net on digits 0-6
2. freeze it, cache its features for the remaining digits 7-9
3. fit a linear layer on the cached features
"""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    """8x8 digits restricted to some classes, labels renumbered from 0."""

    def __init__(self, images, targets, classes):
        keep = np.isin(targets, classes)
        self.images = torch.tensor(images[keep] / 16.0, dtype=torch.float32).unsqueeze(1)
        self.targets = torch.tensor(targets[keep] - min(classes))

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        return self.images[i], self.targets[i]


class Backbone(nn.Module):
    dim = 64

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 4, self.dim)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.relu(self.fc(x.flatten(1)))


def pretrain(backbone, loader, num_classes, epochs):
    head = nn.Linear(backbone.dim, num_classes)
    opt = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=3e-3)
    for epoch in range(epochs):
        total = 0.0
        for x, y in loader:
            loss = F.cross_entropy(head(backbone(x)), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
        print(f"pretrain {epoch}: {total / len(loader.dataset):.4f}")


@torch.no_grad()
def extract(backbone, loader):
    backbone.eval()
    return torch.cat([backbone(x) for x, _ in loader])


def main():
    torch.manual_seed(1)
    data = load_digits()
    order = np.random.default_rng(1).permutation(len(data.target))
    train_idx, test_idx = order[:1300], order[1300:]
    old, new = list(range(7)), [7, 8, 9]

    backbone = Backbone()
    pre_set = Digits(data.images[train_idx], data.target[train_idx], old)
    pretrain(backbone, DataLoader(pre_set, batch_size=64, shuffle=True), len(old), epochs=5)
    for p in backbone.parameters():
        p.requires_grad_(False)

    probe_train = Digits(data.images[train_idx], data.target[train_idx], new)
    probe_test = Digits(data.images[test_idx], data.target[test_idx], new)
    train_feats = extract(backbone, DataLoader(probe_train, batch_size=64, shuffle=True))
    test_feats = extract(backbone, DataLoader(probe_test, batch_size=64, shuffle=False))

    mean, std = train_feats.mean(0), train_feats.std(0).clamp_min(0.05)
    train_feats, test_feats = (train_feats - mean) / std, (test_feats - mean) / std

    probe = nn.Linear(backbone.dim, len(new))
    opt = torch.optim.Adam(probe.parameters(), lr=1e-2, weight_decay=1e-4)
    for step in range(1, 151):
        loss = F.cross_entropy(probe(train_feats), probe_train.targets)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 50 == 0:
            print(f"probe step {step}: loss {loss.item():.4f}")

    with torch.no_grad():
        acc = (probe(test_feats).argmax(1) == probe_test.targets).float().mean().item()
    print(f"probe accuracy on new digits: {acc:.3f}")


if __name__ == "__main__":
    main()
