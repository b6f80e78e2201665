# expect: nothing
"""Churn scoring: a trainer with callbacks (early stopping, checkpoint of the best epoch), and a predictor loaded from the file."""
from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass(frozen=True)
class ModelConfig:
    n_features: int = 8
    hidden: int = 32
    dropout: float = 0.2


class ChurnNet(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(config.n_features, config.hidden), nn.BatchNorm1d(config.hidden), nn.ReLU(),
            nn.Dropout(config.dropout), nn.Linear(config.hidden, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(-1)


class Callback(Protocol):
    def epoch_end(self, epoch: int, valid_loss: float, model: nn.Module) -> bool:
        """Returns True to stop the training."""


class Checkpoint:
    def __init__(self, path: Path, config: ModelConfig) -> None:
        self.path, self.config, self.best = path, config, float("inf")

    def epoch_end(self, epoch: int, valid_loss: float, model: nn.Module) -> bool:
        if valid_loss < self.best:
            self.best = valid_loss
            torch.save({"config": asdict(self.config), "epoch": epoch, "weights": model.state_dict()}, self.path)
        return False


class Patience:
    def __init__(self, epochs: int) -> None:
        self.limit, self.waited, self.best = epochs, 0, float("inf")

    def epoch_end(self, epoch: int, valid_loss: float, model: nn.Module) -> bool:
        self.waited = 0 if valid_loss < self.best else self.waited + 1
        self.best = min(self.best, valid_loss)
        return self.waited >= self.limit


class Trainer:
    def __init__(self, model: nn.Module, positive_weight: Tensor, callbacks: list[Callback]) -> None:
        self.model, self.callbacks = model, callbacks
        self.criterion = nn.BCEWithLogitsLoss(pos_weight=positive_weight)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)

    def validate(self, loader: DataLoader) -> float:
        self.model.eval()
        with torch.inference_mode():
            losses = [self.criterion(self.model(x), y) * len(y) for x, y in loader]
        return sum(losses).item() / len(loader.dataset)

    def fit(self, train: DataLoader, valid: DataLoader, max_epochs: int) -> None:
        for epoch in range(max_epochs):
            self.model.train()
            for x, y in train:
                self.optimizer.zero_grad(set_to_none=True)
                self.criterion(self.model(x), y).backward()
                self.optimizer.step()
            loss = self.validate(valid)
            if any([c.epoch_end(epoch, loss, self.model) for c in self.callbacks]):
                print(f"stopped after epoch {epoch}")
                break


class Predictor:
    def __init__(self, path: Path) -> None:
        state = torch.load(path)
        self.epoch = state["epoch"]
        self.model = ChurnNet(ModelConfig(**state["config"])).eval()
        self.model.load_state_dict(state["weights"])

    @torch.no_grad()
    def probability(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.model(x))


def customers(n: int, n_features: int) -> TensorDataset:
    x = torch.randn(n, n_features)
    score = 2.5 * x[:, 0] - 2.0 * x[:, 1] * (x[:, 2] > 0) + 1.5 * x[:, 3] - 2.5
    return TensorDataset(x, (torch.rand(n) < torch.sigmoid(2 * score)).float())


if __name__ == "__main__":
    torch.manual_seed(9)
    config = ModelConfig()
    train, valid, test = random_split(customers(3000, config.n_features), [2000, 500, 500])
    y_train = torch.stack([y for _, y in train])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.pt"
        weight = (1 - y_train).sum() / y_train.sum()
        trainer = Trainer(ChurnNet(config), weight, [Checkpoint(path, config), Patience(4)])
        trainer.fit(DataLoader(train, 64, shuffle=True, drop_last=True), DataLoader(valid, 250), max_epochs=20)
        predictor = Predictor(path)
    x, y = (torch.stack(column) for column in zip(*test))
    churns = predictor.probability(x) > 0.5
    recall, precision = churns[y == 1].float().mean().item(), y[churns].mean().item()
    print(f"best epoch {predictor.epoch}, share of churners {y.mean().item():.2f}")
    print(f"balanced accuracy {(recall + (~churns)[y == 0].float().mean().item()) / 2:.3f}, recall {recall:.3f}, precision {precision:.3f}")
