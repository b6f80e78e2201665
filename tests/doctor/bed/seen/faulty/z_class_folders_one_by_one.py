# expect: unshuffled_sorted @ 29
"""Pictures listed class by class, as a folder reader would list them."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class FolderLike(Dataset):
    """Items listed by class, then by number."""

    def __init__(self, part):
        digits = load_digits()
        self.samples = []
        for label in range(10):
            rows = (digits.target == label).nonzero()[0]
            chosen = rows[: len(rows) * 4 // 5] if part == "train" else rows[len(rows) * 4 // 5 :]
            self.samples += [(torch.tensor(digits.data[r], dtype=torch.float32) / 16, label) for r in chosen]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


torch.manual_seed(0)
train_loader = DataLoader(FolderLike("train"), batch_size=32)
test_loader = DataLoader(FolderLike("test"), batch_size=64)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()

for epoch in range(4):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in test_loader:
            correct += (model(x).argmax(1) == y).sum().item()
    print(f"epoch {epoch}: {correct / len(test_loader.dataset):.3f}")
