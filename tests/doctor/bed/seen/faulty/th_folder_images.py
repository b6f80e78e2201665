# expect: unshuffled_sorted @ 57
"""Digit pictures from a tree of folders (one folder per class, as on disk), trained with a phase-driven runner."""
from dataclasses import dataclass
from typing import Callable, Literal

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Phase = Literal["train", "test"]


@dataclass(frozen=True)
class RunConfig:
    batch_size: int = 32
    epochs: int = 6
    lr: float = 0.05
    momentum: float = 0.9
    holdout: float = 0.25
    seed: int = 13


def fake_disk(seed: int, holdout: float) -> dict[str, dict[str, np.ndarray]]:
    """{"train": {"0": pictures, "1": pictures, ...}, "test": {...}}"""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    tree: dict[str, dict[str, np.ndarray]] = {"train": {}, "test": {}}
    for digit in range(10):
        pictures = rng.permutation(images[labels == digit])
        n_test = int(len(pictures) * holdout)
        tree["test"][str(digit)], tree["train"][str(digit)] = pictures[:n_test], pictures[n_test:]
    return tree


class FolderDataset(Dataset):
    def __init__(self, folders: dict[str, np.ndarray], transform: Callable[[np.ndarray], Tensor]) -> None:
        self.classes = sorted(folders)
        self.samples = [(img, i) for i, name in enumerate(self.classes) for img in folders[name]]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = self.samples[index]
        return self.transform(image), label


def to_tensor(image: np.ndarray) -> Tensor:
    return torch.tensor(image, dtype=torch.float32).view(1, 8, 8) / 8.0 - 1.0


def make_loader(tree: dict, phase: Phase, config: RunConfig) -> DataLoader:
    dataset = FolderDataset(tree[phase], to_tensor)
    return DataLoader(dataset, config.batch_size, shuffle=(phase == "training"))


class Runner:
    def __init__(self, model: nn.Module, config: RunConfig) -> None:
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=config.momentum)

    def run(self, phase: Phase, loader: DataLoader) -> tuple[float, float]:
        learning = phase == "train"
        self.model.train(learning)
        loss_sum, right = 0.0, 0
        with torch.set_grad_enabled(learning):
            for images, labels in loader:
                scores = self.model(images)
                loss = nn.functional.cross_entropy(scores, labels)
                if learning:
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                loss_sum += loss.item() * len(labels)
                right += (scores.argmax(dim=1) == labels).sum().item()
        return loss_sum / len(loader.dataset), right / len(loader.dataset)


def main() -> None:
    config = RunConfig()
    torch.manual_seed(config.seed)
    tree = fake_disk(config.seed, config.holdout)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12 * 16, 10)
    )
    runner = Runner(model, config)
    train_loader, test_loader = make_loader(tree, "train", config), make_loader(tree, "test", config)
    for epoch in range(config.epochs):
        loss, accuracy = runner.run("train", train_loader)
        print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {accuracy:.3f}")
    loss, accuracy = runner.run("test", test_loader)
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
