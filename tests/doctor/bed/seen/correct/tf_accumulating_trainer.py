# expect: nothing
"""Trainer with gradient accumulation, clipping, one-cycle schedule and an EMA copy for serving."""
import copy
import logging
import math
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("trainer")


@dataclass
class TrainConfig:
    micro_batch: int = 16
    accumulate: int = 4
    epochs: int = 12
    max_lr: float = 1e-2
    clip: float = 5.0
    ema_decay: float = 0.95


class EMA:
    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, source: nn.Module) -> None:
        for slow, fast in zip(self.model.parameters(), source.parameters()):
            slow.lerp_(fast, 1 - self.decay)


class Trainer:
    def __init__(self, model: nn.Module, cfg: TrainConfig, steps_per_epoch: int) -> None:
        self.model, self.cfg = model, cfg
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.max_lr / 10, weight_decay=1e-3)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, cfg.max_lr, total_steps=cfg.epochs * steps_per_epoch)
        self.ema = EMA(model, cfg.ema_decay)

    def _apply(self) -> None:
        nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.clip)
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update(self.model)

    def run_epoch(self, loader: DataLoader) -> float:
        self.model.train()
        total = 0.0
        for i, (x, y) in enumerate(loader, start=1):
            loss = nn.functional.cross_entropy(self.model(x), y)
            (loss / self.cfg.accumulate).backward()
            total += loss.item()
            if i % self.cfg.accumulate == 0 or i == len(loader):
                self._apply()
        return total / len(loader)


def main() -> None:
    cfg = TrainConfig()
    torch.manual_seed(7)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    x_tr, x_te, y_tr, y_te = train_test_split(x, torch.tensor(y), test_size=0.25, stratify=y, random_state=7)
    loader = DataLoader(TensorDataset(x_tr, y_tr), cfg.micro_batch, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 48), nn.LayerNorm(48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 10))
    trainer = Trainer(model, cfg, math.ceil(len(loader) / cfg.accumulate))
    for epoch in range(cfg.epochs):
        log.info("epoch %d loss %.4f", epoch, trainer.run_epoch(loader))
    with torch.no_grad():
        served = trainer.ema.model(x_te).argmax(1)
    print(f"test accuracy of the served copy {(served == y_te).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
