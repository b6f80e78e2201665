# expect: nothing
"""Anomaly detection on a packaging line: autoencoder on normal rows, alarm limit from validation rows."""
import logging
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("line")


@dataclass
class Limits:
    mean: Tensor
    std: Tensor
    alarm: float = float("inf")


class Autoencoder(nn.Module):
    def __init__(self, n: int, code: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n, 16), nn.Tanh(), nn.Linear(16, code))
        self.decoder = nn.Sequential(nn.Linear(code, 16), nn.Tanh(), nn.Linear(16, n))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


def sensors(n: int, broken: bool, mix: np.ndarray, rng: np.random.Generator) -> Tensor:
    rows = rng.normal(size=(n, 3)) @ mix + 0.2 * rng.normal(size=(n, mix.shape[1]))
    if broken:
        column = rng.integers(mix.shape[1], size=n)
        rows[np.arange(n), column] += rng.choice([-4.0, 4.0], size=n)
    return torch.tensor(20.0 + 5.0 * rows, dtype=torch.float32)


class Detector:
    def __init__(self, n: int) -> None:
        self.net = Autoencoder(n, 3)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=5e-3)

    def fit(self, rows: Tensor, epochs: int = 25) -> None:
        self.limits = Limits(rows.mean(0), rows.std(0))
        x = (rows - self.limits.mean) / self.limits.std
        self.net.train()
        for epoch in range(epochs):
            total = 0.0
            for index in torch.randperm(len(x)).split(64):
                batch = x[index]
                self.optimizer.zero_grad()
                loss = nn.functional.mse_loss(self.net(batch), batch)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(index)
            if epoch % 5 == 4:
                log.info("epoch %d reconstruction %.4f", epoch + 1, total / len(x))

    @torch.no_grad()
    def score(self, rows: Tensor) -> Tensor:
        self.net.eval()
        x = (rows - self.limits.mean) / self.limits.std
        return (self.net(x) - x).square().mean(dim=1)

    def calibrate(self, rows: Tensor, quantile: float) -> None:
        self.limits.alarm = self.score(rows).quantile(quantile).item()


if __name__ == "__main__":
    torch.manual_seed(2)
    rng = np.random.default_rng(2)
    mix = rng.normal(size=(3, 8))
    train, valid = sensors(1200, False, mix, rng), sensors(400, False, mix, rng)
    test = torch.cat([sensors(300, False, mix, rng), sensors(300, True, mix, rng)])
    broken = torch.cat([torch.zeros(300), torch.ones(300)])
    detector = Detector(8)
    detector.fit(train)
    detector.calibrate(valid, 0.95)
    score = detector.score(test)
    alarm = (score > detector.limits.alarm).float()
    print(f"AUC {roc_auc_score(broken, score):.3f} false alarms {alarm[:300].mean().item():.3f} "
          f"caught {alarm[300:].mean().item():.3f}")
