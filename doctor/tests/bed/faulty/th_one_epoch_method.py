# expect: missing_no_grad @ 36
# mend: 36 →         with torch.set_grad_enabled(optimizer is not None):
"""Disease progression (diabetes) with one `_run` method for both training and evaluation."""
from __future__ import annotations

import argparse

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Standardizer:
    def fit(self, values: torch.Tensor) -> "Standardizer":
        self.mean, self.std = values.mean(dim=0), values.std(dim=0)
        return self

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        return (values - self.mean) / self.std


class Regressor:
    def __init__(self, n_features: int, hidden: int, lr: float) -> None:
        self.model = nn.Sequential(
            nn.Linear(n_features, hidden), nn.SiLU(), nn.Dropout(0.1), nn.Linear(hidden, 1)
        )
        self.loss_fn = nn.SmoothL1Loss()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, weight_decay=1e-2)

    def _run(self, loader: DataLoader, optimizer: torch.optim.Optimizer | None = None) -> float:
        learning = optimizer is not None
        self.model.train(learning)
        total, count = 0.0, 0
        with torch.set_grad_enabled(self.optimizer is not None):
            for x, y in loader:
                loss = self.loss_fn(self.model(x), y)
                if learning:
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                total += loss.item() * len(x)
                count += len(x)
        return total / count

    def fit(self, train: DataLoader, valid: DataLoader, epochs: int) -> None:
        for epoch in range(1, epochs + 1):
            train_loss = self._run(train, self.optimizer)
            valid_loss = self._run(valid)
            if epoch % 6 == 0:
                print(f"epoch {epoch:3d} | train {train_loss:.4f} | valid {valid_loss:.4f}")

    def score(self, loader: DataLoader) -> float:
        return self._run(loader)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=24)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def build_loaders(args: argparse.Namespace) -> list[DataLoader]:
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=90, random_state=args.seed)
    x_train, x_valid, y_train, y_valid = train_test_split(x_rest, y_rest, test_size=70, random_state=args.seed)
    tensor = lambda a: torch.as_tensor(a, dtype=torch.float32)
    scale_x = Standardizer().fit(tensor(x_train))
    scale_y = Standardizer().fit(tensor(y_train).unsqueeze(1))
    loaders = []
    for a, b in ((x_train, y_train), (x_valid, y_valid), (x_test, y_test)):
        rows = TensorDataset(scale_x(tensor(a)), scale_y(tensor(b).unsqueeze(1)))
        loaders.append(DataLoader(rows, batch_size=args.batch_size, shuffle=a is x_train))
    return loaders


def main() -> None:
    args = parse_args()
    torch.manual_seed(args.seed)
    train, valid, test = build_loaders(args)
    regressor = Regressor(n_features=10, hidden=args.hidden, lr=args.lr)
    print(f"untrained test loss {regressor.score(test):.4f}")
    regressor.fit(train, valid, args.epochs)
    print(f"final test loss {regressor.score(test):.4f}")


if __name__ == "__main__":
    main()
