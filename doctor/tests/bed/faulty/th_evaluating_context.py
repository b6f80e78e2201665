# missed: train_mode_never_restored @ 46
# allowed: train_mode_never_restored @ 45
# mend: 44 +     before = model.training
# mend: 46 →
"""Breast-cancer screening model. The validation runs inside a context manager, so that nobody has to remember the modes."""
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterator

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import Tensor, nn


@dataclass(frozen=True)
class Split:
    x: Tensor
    y: Tensor

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        for idx in torch.randperm(len(self.x)).split(size):
            yield self.x[idx], self.y[idx]


@dataclass(frozen=True)
class Data:
    train: Split
    valid: Split
    test: Split


def load_data(seed: int) -> Data:
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x_train, x_valid, y_train, y_valid = train_test_split(x_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=seed)
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    as_split = lambda a, b: Split(torch.tensor((a - mean) / std).float(), torch.tensor(b).float())
    return Data(as_split(x_train, y_train), as_split(x_valid, y_valid), as_split(x_test, y_test))


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Puts the model in evaluation mode and back into the mode it came in."""
    model.eval()
    before = model.training
    try:
        with torch.no_grad():
            yield model
    finally:
        model.train(before)


class Screener:
    def __init__(self, n_features: int, lr: float = 2e-3) -> None:
        self.net = nn.Sequential(
            nn.Linear(n_features, 48), nn.ReLU(), nn.Dropout(0.4),
            nn.Linear(48, 16), nn.ReLU(), nn.Dropout(0.4),
            nn.Linear(16, 1), nn.Flatten(0),
        )
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=lr)

    def evaluate(self, split: Split) -> tuple[float, float]:
        with evaluating(self.net) as net:
            logits = net(split.x)
            accuracy = ((logits > 0).float() == split.y).float().mean()
            return self.criterion(logits, split.y).item(), accuracy.item()

    def fit(self, data: Data, epochs: int = 20, batch_size: int = 26) -> None:
        self.net.train()
        for epoch in range(epochs):
            for x, y in data.train.batches(batch_size):
                loss = self.criterion(self.net(x), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            loss, accuracy = self.evaluate(data.valid)
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1:2d}: validation loss {loss:.4f}, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    torch.manual_seed(21)
    data = load_data(seed=21)
    screener = Screener(n_features=data.train.x.shape[1])
    screener.fit(data)
    loss, accuracy = screener.evaluate(data.test)
    print(f"test loss {loss:.4f}, accuracy {accuracy:.3f}")
