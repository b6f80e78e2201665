# expect: non_finite_loss @ 46
"""Siamese network tutorial: contrastive loss on pairs of digits, judged by a distance threshold."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class PairDataset(Dataset):
    """Item i is digit i with a partner: half of the time one of its own class, else one of another."""

    def __init__(self, images, labels, seed):
        self.images = torch.tensor(images / 16.0, dtype=torch.float32)
        rng = np.random.default_rng(seed)
        self.pairs = []
        for i, label in enumerate(labels):
            same = rng.random() < 0.5
            pool = np.flatnonzero(labels == label) if same else np.flatnonzero(labels != label)
            self.pairs.append((i, int(rng.choice(pool)), float(same)))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        i, j, same = self.pairs[k]
        return self.images[i], self.images[j], same


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 16))

    def forward(self, left, right):
        return self.tower(left), self.tower(right)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        distance = torch.sqrt((a - b).pow(2).sum(dim=1))
        pull = same * distance.pow(2)
        push = (1 - same) * (self.margin - distance).clamp(min=0).pow(2)
        return (pull + push).mean()


torch.manual_seed(13)
digits = load_digits()
x_tr, x_te, y_tr, y_te = train_test_split(digits.data, digits.target, test_size=0.3, random_state=13, stratify=digits.target)
train_loader = DataLoader(PairDataset(x_tr, y_tr, seed=1), batch_size=64, shuffle=True)
test_loader = DataLoader(PairDataset(x_te, y_te, seed=2), batch_size=256)

net = SiameseNetwork()
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(10):
    net.train()
    history = []
    for left, right, same in train_loader:
        a, b = net(left, right)
        loss = criterion(a, b, same.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    print(f"Epoch {epoch + 1:2d}: contrastive loss {np.mean(history):.4f}")

net.eval()
right_calls, total = 0, 0
with torch.no_grad():
    for left, right, same in test_loader:
        a, b = net(left, right)
        close = (a - b).norm(dim=1) < criterion.margin / 2
        right_calls += (close == same.bool()).sum().item()
        total += len(same)
print(f"pairs judged rightly: {right_calls / total:.3f}")
