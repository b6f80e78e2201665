# expect: augment_on_test @ 49
# One pipeline with its random flip and noise serves training and test folders.
import random

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Compose:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, x):
        for step in self.steps:
            x = step(x)
        return x


class RandomShift:
    def __init__(self, p=0.7):
        self.p = p

    def __call__(self, x):
        return torch.roll(x, random.choice((-2, 2)), 1) if random.random() < self.p else x


class Images(Dataset):
    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


random.seed(0)
torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32)
labels = torch.tensor(digits.target)
tr, te = train_test_split(range(len(labels)), test_size=0.3, random_state=0, stratify=digits.target)
data_transform = Compose([lambda x: x - 0.5, RandomShift()])
train_data = Images(images[tr], labels[tr], transform=data_transform)
test_data = Images(images[te], labels[te], transform=data_transform)
train_dataloader = DataLoader(train_data, batch_size=32, shuffle=True)
test_dataloader = DataLoader(test_data, batch_size=128)

model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(12):
    model.train()
    for X, y in train_dataloader:
        loss = nn.functional.cross_entropy(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        correct = sum((model(X).argmax(dim=1) == y).sum().item() for X, y in test_dataloader)
    print(epoch, correct / len(test_data))
