# expect: clip_too_small @ 65
"""State of a bearing from short vibration records: a GRU on band energies, trained by momentum SGD."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

STATES = ("healthy", "outer race", "inner race", "unbalance")


@dataclass
class TrainConfig:
    hidden: int = 32
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    max_norm: float = 1.0
    min_lr: float = 2e-3
    epochs: int = 10
    batch_size: int = 32
    patience: int = 4
    min_delta: float = 1e-3


def records(n, rng, frames=16, bands=6):
    """Log band energies per frame; faults add periodic bursts in certain bands."""
    state = rng.permutation(np.arange(n) % 4)
    x = rng.normal(0, 0.6, size=(n, frames, bands))
    t = np.arange(frames)[None]
    offset = rng.integers(0, 8, size=(n, 1))
    outer, inner, slow = (t + offset) % 4 == 0, (t + offset) % 3 == 0, np.sin(2 * np.pi * (t + offset) / 8)
    x[:, :, 3] += 2.4 * outer * (state == 1)[:, None]
    x[:, :, 3] += 2.4 * inner * (state == 2)[:, None]
    x[:, :, 0] += 1.2 * slow * (state == 3)[:, None]
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(state)


class BearingNet(nn.Module):
    def __init__(self, bands, hidden):
        super().__init__()
        self.gru = nn.GRU(bands, hidden, batch_first=True)
        self.classify = nn.Linear(2 * hidden, len(STATES))

    def forward(self, x):
        h, _ = self.gru(x)
        return self.classify(torch.cat([h.mean(dim=1), h.amax(dim=1)], dim=1))


class SGDTrainer:
    def __init__(self, model, cfg):
        self.model, self.cfg = model, cfg
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=cfg.lr, momentum=cfg.momentum, weight_decay=cfg.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, T_max=cfg.epochs, eta_min=cfg.min_lr
        )

    def train_step(self, x, y):
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.min_delta)
        self.optimizer.step()
        return loss.item()

    def fit(self, x, y, x_val, y_val):
        best, waited = float("inf"), 0
        for epoch in range(self.cfg.epochs):
            self.model.train()
            losses = [self.train_step(x[r], y[r]) for r in torch.randperm(len(x)).split(self.cfg.batch_size)]
            self.schedule.step()
            val_loss, val_acc = self.evaluate(x_val, y_val)
            print(f"epoch {epoch:2d}  loss {np.mean(losses):.4f}  val {val_loss:.4f}  acc {val_acc:.3f}")
            waited = 0 if val_loss < best - self.cfg.min_delta else waited + 1
            best = min(best, val_loss)
            if waited >= self.cfg.patience:
                break

    @torch.no_grad()
    def evaluate(self, x, y):
        self.model.eval()
        logits = self.model(x)
        return self.criterion(logits, y).item(), (logits.argmax(dim=1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(30)
    rng = np.random.default_rng(30)
    cfg = TrainConfig()
    train, val, test = records(640, rng), records(160, rng), records(320, rng)
    trainer = SGDTrainer(BearingNet(6, cfg.hidden), cfg)
    trainer.fit(*train, *val)
    print(f"test accuracy {trainer.evaluate(*test)[1]:.3f}")
