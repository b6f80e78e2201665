# expect: augment_on_test @ 31
"""One Dataset with augmentation serves training and test alike."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class AugmentedDigits(Dataset):
    def __init__(self, images, labels, augment):
        self.images, self.labels, self.augment = images, labels, augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = self.images[i]
        if self.augment:
            shift = torch.randint(-1, 2, (2,)).tolist()
            image = torch.roll(image, shift, dims=(0, 1)) + 0.1 * torch.randn(8, 8)
        return image, self.labels[i]


torch.manual_seed(0)
d = load_digits()
images, labels = torch.tensor(d.images / 16, dtype=torch.float32), torch.tensor(d.target)
order = torch.randperm(len(labels))
a, b = order[:1400], order[1400:]
train_loader = DataLoader(AugmentedDigits(images[a], labels[a], augment=True), batch_size=50, shuffle=True)
test_loader = DataLoader(AugmentedDigits(images[b], labels[b], augment=True), batch_size=397)

net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(4):
    net.train()
    for x, y in train_loader:
        loss = nn.functional.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        accuracy = sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader) / len(b)
    print(f"epoch {epoch} loss {loss.item():.3f} test accuracy {accuracy:.3f}")
