# expect: grad_cleared_before_step @ 42
# mend: 42 →
"""Routes service requests to one of three desks; trainer with callbacks, retrained nightly."""
import logging
from dataclasses import dataclass

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
log = logging.getLogger("router")


@dataclass(frozen=True)
class Config:
    epochs: int = 15
    batch_size: int = 16
    lr: float = 5e-3
    hidden: int = 32
    seed: int = 11


class Callback:
    def on_backward_end(self, trainer: "Trainer") -> None: ...

    def on_epoch_end(self, trainer: "Trainer", epoch: int, loss: float) -> None: ...


class GradNormMonitor(Callback):
    """Keeps the gradient norm of every batch and reports the mean of the epoch."""

    def __init__(self) -> None:
        self.norms: list[float] = []

    def on_backward_end(self, trainer: "Trainer") -> None:
        grads = [p.grad.norm() for p in trainer.model.parameters() if p.grad is not None]
        self.norms.append(torch.stack(grads).norm().item())
        trainer.optimizer.zero_grad()

    def on_epoch_end(self, trainer: "Trainer", epoch: int, loss: float) -> None:
        log.info("epoch %02d loss %.4f grad norm %.3f", epoch, loss, sum(self.norms) / len(self.norms))
        self.norms.clear()


class Trainer:
    def __init__(self, model: nn.Module, cfg: Config, callbacks: list[Callback]) -> None:
        self.model = model
        self.cfg = cfg
        self.callbacks = callbacks
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)

    def fit(self, loader: DataLoader) -> None:
        for epoch in range(self.cfg.epochs):
            self.model.train()
            total, rows = 0.0, 0
            for xb, yb in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(xb), yb)
                loss.backward()
                for cb in self.callbacks:
                    cb.on_backward_end(self)
                self.optimizer.step()
                total += loss.item() * len(yb)
                rows += len(yb)
            for cb in self.callbacks:
                cb.on_epoch_end(self, epoch, total / rows)

    @torch.no_grad()
    def accuracy(self, x: torch.Tensor, y: torch.Tensor) -> float:
        self.model.eval()
        return (self.model(x).argmax(1) == y).float().mean().item()


def main() -> None:
    cfg = Config()
    torch.manual_seed(cfg.seed)
    x, y = load_wine(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=cfg.seed)
    scaler = StandardScaler().fit(x_tr)
    x_tr = torch.tensor(scaler.transform(x_tr), dtype=torch.float32)
    x_te = torch.tensor(scaler.transform(x_te), dtype=torch.float32)
    y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
    model = nn.Sequential(nn.Linear(13, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 3))
    trainer = Trainer(model, cfg, [GradNormMonitor()])
    trainer.fit(DataLoader(TensorDataset(x_tr, y_tr), batch_size=cfg.batch_size, shuffle=True))
    print(f"test accuracy {trainer.accuracy(x_te, y_te):.3f}")


if __name__ == "__main__":
    main()
