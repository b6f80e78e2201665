# expect: batchnorm_batch_of_one @ 78
# allowed: batchnorm_batch_of_one @ 42
"""Day-ahead load forecast for a substation: temporal convolutions over hourly readings."""
import argparse
import logging

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

logger = logging.getLogger("load")


def hourly_load(days: int, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(days * 24)
    weekly = 4.0 * np.sin(2 * np.pi * t / (24 * 7))
    daily = 9.0 * np.sin(2 * np.pi * t / 24 - 1.0)
    return 60.0 + daily + weekly + rng.normal(0, 1.2, t.size)


class Windows(Dataset):
    def __init__(self, series: np.ndarray, history: int, horizon: int, step: int) -> None:
        self.series = torch.tensor(series, dtype=torch.float32)
        self.history, self.horizon = history, horizon
        self.starts = range(0, len(series) - history - horizon, step)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        a = self.starts[i]
        b = a + self.history
        return self.series[a:b].unsqueeze(0), self.series[b:b + self.horizon]


class TCN(nn.Module):
    def __init__(self, channels: int, history: int, horizon: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, channels, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(channels * history // 4, horizon)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).flatten(1))


def fit(model: TCN, loader: DataLoader, epochs: int, lr: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for past, future in loader:
            loss = nn.functional.smooth_l1_loss(model(past), future)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        logger.info("epoch %d loss %.4f", epoch, total / len(loader))


@torch.no_grad()
def mae(model: TCN, loader: DataLoader, scale: float) -> float:
    model.eval()
    errors = [(model(past) - future).abs().mean(1) for past, future in loader]
    return torch.cat(errors).mean().item() * scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=int, default=48)
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--lr", type=float, default=3e-3)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(21)
    series = hourly_load(100, np.random.default_rng(21))
    cut = 75 * 24
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    train = Windows(scaled[:cut], args.history, args.horizon, step=6)
    test = Windows(scaled[cut:], args.history, args.horizon, step=24)
    loader = DataLoader(train, batch_size=args.batch_size, shuffle=True, drop_last=True)
    model = TCN(12, args.history, args.horizon)
    fit(model, loader, args.epochs, args.lr)
    print(f"test MAE {mae(model, DataLoader(test, batch_size=64), float(std)):.2f} MW")


if __name__ == "__main__":
    main()
