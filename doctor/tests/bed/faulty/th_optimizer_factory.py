# missed: weight_decay_too_high @ 63
# allowed: weight_decay_too_high @ 49
# mend: 63 →         self.optimizer = build_optimizer(self.model.parameters(), opt.lr, opt.weight_decay, opt.momentum)
"""Which component of a sensor rack failed? A classifier whose parts come from small factories."""
from dataclasses import dataclass, field
from typing import Iterable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class OptimizerConfig:
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4


@dataclass
class AppConfig:
    sensors: int = 12
    components: int = 5
    hidden: int = 32
    rows: int = 2500
    epochs: int = 10
    batch_size: int = 50
    seed: int = 31
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


def simulate(config: AppConfig) -> TensorDataset:
    """Each component leaves its own signature in the readings (already in units of their spread)."""
    failed = torch.randint(0, config.components, (config.rows,))
    signature = torch.randn(config.components, config.sensors)
    strength = 1.0 + torch.rand(config.rows, 1)
    readings = strength * signature[failed] + torch.randn(config.rows, config.sensors)
    return TensorDataset(readings / 1.8, failed)


def build_model(config: AppConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(config.sensors, config.hidden), nn.ReLU(),
        nn.Linear(config.hidden, config.hidden), nn.ReLU(),
        nn.Linear(config.hidden, config.components),
    )


def build_optimizer(params: Iterable[Tensor], lr: float, weight_decay: float, momentum: float) -> torch.optim.SGD:
    return torch.optim.SGD(params, lr=lr, momentum=momentum, weight_decay=weight_decay)


class Application:
    def __init__(self, config: AppConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        test_rows = config.rows // 5
        train_set, test_set = random_split(simulate(config), [config.rows - test_rows, test_rows])
        self.train_loader = DataLoader(train_set, batch_size=config.batch_size, shuffle=True)
        self.test_loader = DataLoader(test_set, batch_size=256)
        self.model = build_model(config)
        opt = config.optimizer
        self.optimizer = build_optimizer(self.model.parameters(), opt.lr, opt.momentum, opt.weight_decay)

    def train(self) -> None:
        for epoch in range(self.config.epochs):
            self.model.train()
            total = 0.0
            for readings, failed in self.train_loader:
                loss = nn.functional.cross_entropy(self.model(readings), failed)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(failed)
            print(f"epoch {epoch:2d}: loss {total / len(self.train_loader.dataset):.4f}")

    @torch.no_grad()
    def test(self) -> float:
        self.model.eval()
        right = sum((self.model(x).argmax(dim=1) == y).sum().item() for x, y in self.test_loader)
        return right / len(self.test_loader.dataset)


if __name__ == "__main__":
    app = Application(AppConfig())
    app.train()
    print(f"component named correctly: {app.test():.3f}")
