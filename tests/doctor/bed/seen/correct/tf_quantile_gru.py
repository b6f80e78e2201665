# expect: nothing
"""Quantile forecast (10/50/90 %) with a GRU and pinball loss; level of each window is removed in the model."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    window: int = 24
    hidden: int = 16
    lr: float = 1e-2
    epochs: int = 6


class PinballLoss(nn.Module):
    def __init__(self, quantiles: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("q", torch.tensor(quantiles))

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        error = target.unsqueeze(1) - prediction
        return torch.maximum(self.q * error, (self.q - 1) * error).mean()


class QuantileGRU(nn.Module):
    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.gru = nn.GRU(1, cfg.hidden, batch_first=True)
        self.head = nn.Linear(cfg.hidden, len(cfg.quantiles))

    def forward(self, x: Tensor) -> Tensor:
        level = x.mean(1, keepdim=True)
        _, state = self.gru((x - level).unsqueeze(2))
        return self.head(state[-1]) + level


def make_series(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    return 50 + 12 * np.sin(2 * np.pi * t / 24) + 3 * np.sin(2 * np.pi * t / 168) + rng.normal(0, 2, n)


def frames(series: np.ndarray, window: int) -> tuple[Tensor, Tensor]:
    unfolded = torch.tensor(series, dtype=torch.float32).unfold(0, window + 1, 1)
    return unfolded[:, :-1], unfolded[:, -1]


def main() -> None:
    cfg = Config()
    torch.manual_seed(0)
    series = make_series(1500, 0)
    cut = 1200
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    train, test = frames(scaled[:cut], cfg.window), frames(scaled[cut:], cfg.window)
    loader = DataLoader(TensorDataset(*train), batch_size=64, shuffle=True)
    model, criterion = QuantileGRU(cfg), PinballLoss(cfg.quantiles)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        print(f"epoch {epoch} pinball {total / len(train[1]):.4f}")
    model.eval()
    with torch.no_grad():
        bands = model(test[0])
    covered = (test[1].unsqueeze(1) <= bands).float().mean(0)
    mae = (bands[:, 1] - test[1]).abs().mean().item() * std
    print(f"test MAE {mae:.2f}, share below each quantile {[round(c, 2) for c in covered.tolist()]}")


if __name__ == "__main__":
    main()
