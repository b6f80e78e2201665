# expect: nothing
"""Scanned digits, made robust with shifted, blotted and noisy copies during training; a multilayer perceptron with OneCycle."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Scans(Dataset):
    def __init__(self, images, labels, split, seed=0):
        self.images, self.labels, self.split = images, labels, split
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return len(self.images)

    def _disturb(self, image):
        image = np.roll(image, self.rng.integers(-1, 2), axis=1)
        if self.rng.random() < 0.5:
            r, c = self.rng.integers(0, 6, size=2)
            image = image.copy()
            image[r : r + 3, c : c + 3] = 0.0
        return np.clip(image + self.rng.normal(0, 0.2, image.shape), 0, 1)

    def __getitem__(self, i):
        image = self.images[i]
        if self.split == "train":
            image = self._disturb(image)
        return torch.tensor(image * 2 - 1, dtype=torch.float32), int(self.labels[i])


def build_loaders(cfg):
    digits = load_digits()
    x_tr, x_ev, y_tr, y_ev = train_test_split(
        digits.images / 16.0, digits.target, test_size=0.25, stratify=digits.target, random_state=cfg["seed"])
    train = Scans(x_tr, y_tr, split="train", seed=cfg["seed"])
    held = Scans(x_ev, y_ev, split="eval", seed=cfg["seed"] + 1)
    return (
        DataLoader(train, batch_size=cfg["batch"], shuffle=True),
        DataLoader(held, batch_size=256),
    )


def train(model, loader, cfg):
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["lr"])
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=cfg["lr"], epochs=cfg["epochs"], steps_per_epoch=len(loader))
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, cfg["epochs"] + 1):
        model.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(y)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(loader.dataset):.4f}")


def evaluate(model, loader):
    model.eval()
    hits = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x).argmax(dim=1) == y).sum().item()
    return hits / len(loader.dataset)


if __name__ == "__main__":
    config = {"seed": 31, "batch": 48, "lr": 5e-3, "epochs": 15}
    torch.manual_seed(config["seed"])
    train_loader, held_loader = build_loaders(config)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10))
    train(network, train_loader, config)
    print(f"accuracy on held-out digits {evaluate(network, held_loader):.3f}")
