# expect: nothing
"""Digit CNN in the data-module / task-module style, with random shifts, erasing and noise as augmentation."""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


@dataclass(frozen=True)
class HParams:
    epochs: int = 12
    batch_size: int = 64
    lr: float = 3e-3
    shift: int = 1
    erase: int = 3
    noise: float = 0.15
    seed: int = 4


class Augment:
    def __init__(self, hp):
        self.hp = hp
        self.rng = np.random.default_rng(hp.seed)

    def __call__(self, image):
        dy, dx = self.rng.integers(-self.hp.shift, self.hp.shift + 1, 2)
        image = np.roll(image, (dy, dx), axis=(0, 1)).copy()
        top, left = self.rng.integers(0, 8 - self.hp.erase + 1, 2)
        image[top:top + self.hp.erase, left:left + self.hp.erase] = 0.0
        return np.clip(image + self.hp.noise * self.rng.standard_normal(image.shape), 0, 1)


class DigitImages(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = self.images[i]
        if self.transform is not None:
            image = self.transform(image)
        return torch.as_tensor(image, dtype=torch.float32).unsqueeze(0), int(self.labels[i])


class DigitsDataModule:
    def __init__(self, hp):
        self.hp = hp
        self.transform = Augment(hp)

    def setup(self):
        data = load_digits()
        images = data.images / 16.0
        xtr, xte, ytr, yte = train_test_split(images, data.target, test_size=0.25, stratify=data.target, random_state=self.hp.seed)
        self.train_set = DigitImages(xtr, ytr, transform=self.transform)
        self.test_set = DigitImages(xte, yte)

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.hp.batch_size, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=150)


class DigitTask(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.hp = hp
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(32 * 16, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))

    def training_step(self, batch):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def test_step(self, batch):
        x, y = batch
        return (self(x).argmax(1) == y).float()

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hp.lr, weight_decay=1e-3)
        return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.hp.epochs)


class Trainer:
    def __init__(self, max_epochs):
        self.max_epochs = max_epochs

    def fit(self, task, data):
        optimizer, scheduler = task.configure_optimizers()
        loader = data.train_dataloader()
        for epoch in range(self.max_epochs):
            task.train()
            losses = []
            for batch in loader:
                loss = task.training_step(batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            scheduler.step()
            if (epoch + 1) % 4 == 0:
                print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.4f}")

    @torch.no_grad()
    def test(self, task, data):
        task.eval()
        return torch.cat([task.test_step(batch) for batch in data.test_dataloader()]).mean().item()


if __name__ == "__main__":
    hp = HParams()
    torch.manual_seed(hp.seed)
    data_module = DigitsDataModule(hp)
    data_module.setup()
    task_module, trainer = DigitTask(hp), Trainer(hp.epochs)
    trainer.fit(task_module, data_module)
    print(f"test accuracy {trainer.test(task_module, data_module):.3f}")
