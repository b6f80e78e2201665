# expect: batchnorm_batch_of_one @ 86
"""Segments bright cells on noisy micrographs drawn with NumPy; a small encoder-decoder with batch norm."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class TrainConfig:
    image_size: int = 16
    n_train: int = 240
    n_test: int = 80
    channels: int = 8
    batch_size: int = 8
    epochs: int = 5
    lr: float = 1e-2
    seed: int = 0


class Micrographs(Dataset):
    """Pictures [1, H, W] and masks [1, H, W], one seed per data set."""

    def __init__(self, count: int, size: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        rows, cols = np.mgrid[:size, :size]
        images, masks = [], []
        for _ in range(count):
            mask = np.zeros((size, size), dtype=bool)
            for _ in range(rng.integers(1, 4)):
                cy, cx, r = rng.uniform(2, size - 2), rng.uniform(2, size - 2), rng.uniform(2, 4)
                mask |= (rows - cy) ** 2 + (cols - cx) ** 2 < r**2
            images.append(0.2 + 0.5 * mask + rng.normal(0, 0.2, mask.shape))
            masks.append(mask)
        self.images = torch.tensor(np.stack(images), dtype=torch.float32).unsqueeze(1)
        self.masks = torch.tensor(np.stack(masks), dtype=torch.float32).unsqueeze(1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.images[i], self.masks[i]


def block(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()
    )


class Segmenter(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.stem, self.down = block(1, c), block(c, 2 * c, stride=2)
        self.up = nn.ConvTranspose2d(2 * c, c, 2, stride=2)
        self.merge = block(2 * c, c)
        self.out = nn.Conv2d(c, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.stem(x)
        return self.out(self.merge(torch.cat([fine, self.up(self.down(fine))], dim=1)))


def dice(prediction: Tensor, mask: Tensor) -> float:
    return (2 * (prediction * mask).sum() / (prediction.sum() + mask.sum() + 1e-6)).item()


def train_epoch(model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> float:
    model.train()
    total = 0.0
    for images, masks in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
    return total / len(loader.dataset)


def main(config: TrainConfig) -> None:
    torch.manual_seed(config.seed)
    train_set = Micrographs(config.n_train, config.image_size, seed=100)
    test_set = Micrographs(config.n_test, config.image_size, seed=200)
    loader = DataLoader(train_set, shuffle=True)

    model = Segmenter(config.channels)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr)
    for epoch in range(config.epochs):
        print(f"epoch {epoch}: loss {train_epoch(model, loader, optimizer):.4f}")

    model.eval()
    with torch.no_grad():
        predicted = (model(test_set.images) > 0).float()
    print(f"test Dice {dice(predicted, test_set.masks):.3f}, ", end="")
    print(f"pixels right {(predicted == test_set.masks).float().mean().item():.3f}")


if __name__ == "__main__":
    main(TrainConfig())
