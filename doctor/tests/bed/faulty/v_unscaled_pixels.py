# expect: unscaled_inputs @ 18
# allowed: dead_relu @ 18
# allowed: dead_relu @ 41
# allowed: unscaled_inputs @ 49
# mend: 18 →     return torch.tensor(img, dtype=torch.float32) / 255.0
"""Digit images stored as bytes (0-255), read by a Dataset with a transform, two-layer net with SGD."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, random_split

torch.manual_seed(21)


def to_tensor(img):
    return torch.tensor(img, dtype=torch.float32)


class ByteDigits(Dataset):
    def __init__(self, transform):
        d = load_digits()
        self.images = np.clip(d.images * 16, 0, 255).astype(np.uint8)
        self.labels = d.target
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]).flatten(), int(self.labels[i])


full = ByteDigits(transform=to_tensor)
n_test = len(full) // 5
train_set, test_set = random_split(full, [len(full) - n_test, n_test], generator=torch.Generator().manual_seed(0))
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=200)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def train(epoch):
    model.train()
    for i, (data, target) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(data), target)
        loss.backward()
        optimizer.step()
        if i % 20 == 0:
            print(f"Train Epoch: {epoch} [{i * len(data)}/{len(train_set)}]\tLoss: {loss.item():.4f}")


def test():
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            correct += (model(data).argmax(1) == target).sum().item()
    print(f"Test set accuracy: {correct / len(test_set):.3f}")


for epoch in range(1, 6):
    train(epoch)
test()
