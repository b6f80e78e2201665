# expect: augment_on_test @ 44
# allowed: augment_on_test @ 46
# allowed: augment_on_test @ 57
"""Digits with random augmentation written by hand (shift, noise, erasing) and a LeNet-like network."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(6)
rng = np.random.default_rng(6)


class RandomAugment:
    def __call__(self, img):
        img = np.roll(img, rng.integers(-1, 2), axis=1)
        r, c = rng.integers(0, 5, 2)
        img = img.copy()
        img[r:r + 4, c:c + 4] = 0.0
        return img + rng.normal(0, 0.25, img.shape)


class DigitSet(Dataset):
    def __init__(self, images, targets, transform=None):
        self.images, self.targets, self.transform = images, targets, transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, idx):
        img = self.images[idx] / 16.0
        if self.transform is not None:
            img = self.transform(img)
        return torch.tensor(img, dtype=torch.float32)[None], int(self.targets[idx])


d = load_digits()
itr, ite, ytr, yte = train_test_split(d.images, d.target, test_size=0.25, random_state=6, stratify=d.target)
transform = RandomAugment()
datasets = {
    "train": DigitSet(itr, ytr, transform),
    "test": DigitSet(ite, yte, transform),
}
loaders = {k: DataLoader(v, batch_size=64, shuffle=(k == "train")) for k, v in datasets.items()}

model = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                      nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(6):
    for phase in ["train", "test"]:
        model.train() if phase == "train" else model.eval()
        loss_sum, hits = 0.0, 0
        for inputs, targets in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(inputs)
                loss = criterion(outputs, targets)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            loss_sum += loss.item() * len(inputs)
            hits += (outputs.argmax(1) == targets).sum().item()
        n = len(datasets[phase])
        print(f"{epoch} {phase}: loss {loss_sum / n:.4f} acc {hits / n:.4f}")
