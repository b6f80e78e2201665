# expect: no_step @ 40
# mend: 39 +             self.scaler.step(self.optimizer)
"""Mixed precision loop of a trainer class; the scaler is a no-op on machines without a GPU."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn


@dataclass
class Config:
    lr: float = 3e-3
    epochs: int = 5
    batch_size: int = 32
    grad_clip: float = 1.0
    device: str = "cuda" if torch.cuda.is_available() else "cpu"


class Trainer:
    def __init__(self, model, config, x, y):
        self.model, self.config, self.x, self.y = model.to(config.device), config, x, y
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr)
        self.scaler = torch.amp.GradScaler(config.device, enabled=config.device == "cuda")

    def train_one_epoch(self):
        self.model.train()
        order = torch.randperm(len(self.x))
        total = 0.0
        for rows in order.split(self.config.batch_size):
            xb, yb = self.x[rows].to(self.config.device), self.y[rows].to(self.config.device)
            self.optimizer.zero_grad(set_to_none=True)
            with torch.autocast(self.config.device, dtype=torch.bfloat16):
                loss = F.cross_entropy(self.model(xb), yb)
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
            self.scaler.update()
            total += loss.item() * len(rows)
        return total / len(self.x)


torch.manual_seed(11)
wine = load_wine()
x = torch.tensor(wine.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
trainer = Trainer(
    nn.Sequential(nn.Linear(13, 32), nn.SiLU(), nn.Linear(32, 3)), Config(), x, torch.tensor(wine.target)
)
for epoch in range(trainer.config.epochs):
    print(f"epoch {epoch} loss {trainer.train_one_epoch():.4f}")
