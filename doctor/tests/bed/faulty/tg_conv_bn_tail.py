# expect: batchnorm_batch_of_one @ 44
# mend: 44 →         return DataLoader(self.train, batch_size=self.batch_size, shuffle=True, drop_last=True)
"""Small ConvNet with BatchNorm on drawn shapes (bars, crosses, boxes) fed by a data module."""
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def draw(kind: int, rng: np.random.Generator) -> np.ndarray:
    img = rng.normal(0, 0.15, (12, 12))
    r, c = rng.integers(3, 9, 2)
    if kind == 0:
        img[r, 2:10] += 1
    elif kind == 1:
        img[r, c - 3:c + 4] += 1
        img[r - 3:r + 4, c] += 1
    else:
        img[r - 2:r + 3, [c - 2, c + 2]] += 1
        img[[r - 2, r + 2], c - 2:c + 3] += 1
    return img


@dataclass
class ShapesDataModule:
    n_train: int = 609
    n_test: int = 300
    batch_size: int = 32
    seed: int = 5
    train: TensorDataset = field(init=False)
    test: TensorDataset = field(init=False)

    def setup(self) -> None:
        rng = np.random.default_rng(self.seed)
        labels = rng.integers(0, 3, self.n_train + self.n_test)
        images = np.stack([draw(int(k), rng) for k in labels])[:, None]
        x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
        self.train = TensorDataset(x[:self.n_train], y[:self.n_train])
        self.test = TensorDataset(x[self.n_train:], y[self.n_train:])

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.test, batch_size=self.batch_size)


def conv_block(cin: int, cout: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(), nn.MaxPool2d(2))


def main() -> None:
    torch.manual_seed(5)
    data = ShapesDataModule()
    data.setup()
    model = nn.Sequential(conv_block(1, 8), conv_block(8, 16), nn.Flatten(), nn.Linear(16 * 9, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(5):
        model.train()
        total = 0.0
        loader = data.train_dataloader()
        for xb, yb in loader:
            loss = nn.functional.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(loader):.4f}")
    model.eval()
    with torch.no_grad():
        hits = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in data.test_dataloader())
    print(f"test accuracy {hits / len(data.test):.3f}")


if __name__ == "__main__":
    main()
