# expect: nothing
"""Parcel digit reader: dataset with on-the-fly jitter, loaders built by a data module."""
import logging
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(name)s | %(message)s")
log = logging.getLogger("parcel")


@dataclass(frozen=True)
class DataConfig:
    batch_size: int = 64
    max_shift: int = 1
    noise: float = 0.25
    test_size: float = 0.25


class Jitter:
    """Random camera offset plus sensor noise."""

    def __init__(self, max_shift: int, noise: float) -> None:
        self.max_shift, self.noise = max_shift, noise

    def __call__(self, image: Tensor) -> Tensor:
        dy, dx = torch.randint(-self.max_shift, self.max_shift + 1, (2,)).tolist()
        image = torch.roll(image, (dy, dx), dims=(1, 2))
        return image + self.noise * torch.randn_like(image)


class ParcelDigits(Dataset):
    def __init__(self, images: Tensor, labels: Tensor, transform=None) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        image = self.images[i]
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]


class ParcelData:
    def __init__(self, cfg: DataConfig) -> None:
        self.cfg = cfg
        raw = load_digits()
        images = torch.tensor(raw.images / 16.0, dtype=torch.float32).unsqueeze(1)
        labels = torch.tensor(raw.target)
        self.splits = train_test_split(images, labels, test_size=cfg.test_size,
                                       stratify=raw.target, random_state=6)
        self.transform = Jitter(cfg.max_shift, cfg.noise)

    def train_loader(self) -> DataLoader:
        data = ParcelDigits(self.splits[0], self.splits[2], transform=self.transform)
        return DataLoader(data, batch_size=self.cfg.batch_size, shuffle=True)

    def test_loader(self) -> DataLoader:
        data = ParcelDigits(self.splits[1], self.splits[3])
        return DataLoader(data, batch_size=self.cfg.batch_size)


class Reader(nn.Module):
    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU())
        self.head = nn.Linear(2 * width * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).flatten(1))


def train_epoch(model: Reader, loader: DataLoader, optimizer: torch.optim.Optimizer) -> float:
    model.train()
    losses = []
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def evaluate(model: Reader, loader: DataLoader) -> float:
    model.eval()
    right = [(model(x).argmax(1) == y).float() for x, y in loader]
    return torch.cat(right).mean().item()


if __name__ == "__main__":
    torch.manual_seed(6)
    data = ParcelData(DataConfig())
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train_loader = data.train_loader()
    for epoch in range(12):
        log.info("epoch %d loss %.4f", epoch, train_epoch(model, train_loader, optimizer))
    print(f"test accuracy {evaluate(model, data.test_loader()):.3f}")
