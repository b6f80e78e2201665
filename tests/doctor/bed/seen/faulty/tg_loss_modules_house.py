# expect: exploding_sum_loss @ 23
"""House price regression on a made-up table with a pluggable loss registry and a typed trainer."""
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Criterion(Protocol):
    def __call__(self, pred: Tensor, target: Tensor) -> Tensor: ...


class Settings(NamedTuple):
    loss: str = "huber"
    lr: float = 0.02
    momentum: float = 0.9
    batch_size: int = 128
    epochs: int = 20


LOSSES: dict[str, Criterion] = {"huber": nn.SmoothL1Loss(reduction="sum"), "mae": nn.L1Loss()}


def make_table(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    area, rooms = rng.gamma(6, 18, n), rng.integers(1, 8, n)
    age, km = rng.uniform(0, 90, n), rng.exponential(6, n)
    price = 40 + 2.1 * area + 9 * rooms - 0.8 * age + 60 * np.exp(-km / 4) + 0.4 * area * np.exp(-km / 6)
    return np.stack([area, rooms, age, km], 1), price + rng.normal(0, 15, n)


class Regressor(nn.Module):
    def __init__(self, n_features: int, hidden: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).squeeze(-1)


class Trainer:
    def __init__(self, model: nn.Module, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self.criterion = LOSSES[settings.loss]
        self.optimizer = torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)

    def fit(self, ds: TensorDataset) -> None:
        loader = DataLoader(ds, self.settings.batch_size, shuffle=True, drop_last=True)
        for epoch in range(self.settings.epochs):
            self.model.train()
            losses = []
            for x, y in loader:
                loss = self.criterion(self.model(x), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")

    @torch.no_grad()
    def r2(self, x: Tensor, y: Tensor) -> float:
        self.model.eval()
        return (1 - ((self.model(x) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()).item()


def main() -> None:
    torch.manual_seed(0)
    x, y = make_table(2000, seed=0)
    xtr, ytr, xte, yte = x[:1500], y[:1500], x[1500:], y[1500:]
    f = lambda a, ref: torch.tensor((a - ref.mean(0)) / ref.std(0), dtype=torch.float32)
    trainer = Trainer(Regressor(4), Settings())
    trainer.fit(TensorDataset(f(xtr, xtr), f(ytr, ytr)))
    print(f"test R2 {trainer.r2(f(xte, xtr), f(yte, ytr)):.3f}")


if __name__ == "__main__":
    main()
