# expect: augment_on_test @ 35
# allowed: augment_on_test @ 36
# allowed: augment_on_test @ 38
"""One dataset with random shifts and noise; random_split hands both parts the same transform."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


def jitter(image):
    shift = int(torch.randint(-1, 2, ()))
    return torch.roll(image, shift, dims=1) + 0.2 * torch.randn_like(image)


class Digits(Dataset):
    def __init__(self, transform=None):
        data = load_digits()
        self.images = torch.tensor(data.images / 16, dtype=torch.float32)
        self.labels = torch.tensor(data.target)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.images[index]
        if self.transform:
            image = self.transform(image)
        return image.flatten(), self.labels[index]


torch.manual_seed(0)
dataset = Digits(transform=jitter)
train_data, test_data = random_split(dataset, [1400, 397])
train_loader = DataLoader(train_data, batch_size=100, shuffle=True)
test_loader = DataLoader(test_data, batch_size=397)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    model.train()
    for images, labels in train_loader:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        images, labels = next(iter(test_loader))
        acc = (model(images).argmax(1) == labels).float().mean().item()
    print(f"Epoch [{epoch + 1}/4], Loss: {loss.item():.4f}, Test: {acc:.4f}")
