# expect: nan_inputs @ 46
# mend: 46 →     out["ticket_growth"] = np.log((ledger.tickets_now + 1) / (ledger.tickets_before + 1))
"""Expected chargeback amount per merchant; features are derived from the ledger table."""
import logging
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import nn

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger(__name__)


@dataclass
class JobConfig:
    features: list[str] = field(default_factory=lambda: ["log_volume", "refund_share", "age_years", "ticket_growth"])
    target: str = "chargeback_rate"
    epochs: int = 30
    lr: float = 0.01
    batch_size: int = 64
    seed: int = 8


def read_ledger(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ledger = pd.DataFrame({
        "volume": rng.lognormal(8, 1, rows),
        "refunds": rng.poisson(6, rows),
        "orders": rng.poisson(60, rows),
        "age_years": rng.gamma(2, 2, rows),
        "tickets_now": rng.poisson(5, rows),
        "tickets_before": rng.poisson(5, rows),
    })
    ledger["chargeback_rate"] = (3 * ledger.refunds / ledger.orders.clip(lower=1) - 0.05 * ledger.age_years
                                 + 0.1 * np.log1p(ledger.tickets_now) - 0.1 * np.log1p(ledger.tickets_before)
                                 + rng.normal(0, 0.05, rows))
    return ledger


def derive(ledger: pd.DataFrame) -> pd.DataFrame:
    out = ledger.copy()
    out["log_volume"] = np.log(ledger.volume)
    out["refund_share"] = ledger.refunds / ledger.orders.clip(lower=1)
    out["ticket_growth"] = np.log(ledger.tickets_now / ledger.tickets_before)
    return out


class Standardizer:
    def fit(self, x: torch.Tensor) -> "Standardizer":
        self.mean, self.std = x.mean(0), x.std(0)
        return self

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.std


class RateRegressor(nn.Module):
    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 24), nn.GELU(), nn.Linear(24, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).squeeze(1)


def main() -> None:
    cfg = JobConfig()
    torch.manual_seed(cfg.seed)
    table = derive(read_ledger(1200, cfg.seed))
    x = torch.tensor(table[cfg.features].to_numpy(), dtype=torch.float32)
    y = torch.tensor(table[cfg.target].to_numpy(), dtype=torch.float32)
    x_train, y_train, x_test, y_test = x[:900], y[:900], x[900:], y[900:]
    standardize = Standardizer().fit(x_train)
    x_train, x_test = standardize(x_train), standardize(x_test)
    model = RateRegressor(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=cfg.epochs)
    for epoch in range(cfg.epochs):
        model.train()
        epoch_loss = 0.0
        for idx in torch.randperm(len(x_train)).split(cfg.batch_size):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x_train[idx]), y_train[idx])
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item() * len(idx)
        scheduler.step()
        if epoch % 10 == 9:
            log.info("epoch %d mse %.4f", epoch + 1, epoch_loss / len(x_train))
    model.eval()
    with torch.no_grad():
        error = (model(x_test) - y_test).abs().mean().item()
    print(f"test MAE {error:.4f} (target std {y_test.std().item():.4f})")


if __name__ == "__main__":
    main()
