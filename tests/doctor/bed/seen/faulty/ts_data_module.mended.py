# expect: nothing
"""Digit recogniser in data-module style: module owns the splits, the runner keeps the best weights and reports on the test set."""
import copy
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class RunConfig:
    n_train: int = 200
    n_val: int = 800
    batch_size: int = 40
    max_epochs: int = 40
    lr: float = 4e-3
    seed: int = 31


class DigitsDataModule:
    def __init__(self, cfg):
        self.cfg = cfg

    def setup(self):
        digits = load_digits()
        x = torch.tensor(digits.data, dtype=torch.float32) / 16.0
        y = torch.tensor(digits.target)
        fit, rest = train_test_split(torch.arange(len(y)), train_size=self.cfg.n_train, stratify=y, random_state=self.cfg.seed)
        val, test = train_test_split(rest, train_size=self.cfg.n_val, stratify=y[rest], random_state=self.cfg.seed)
        self.train_set, self.val_set, self.test_set = (TensorDataset(x[i], y[i]) for i in (fit, val, test))

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.cfg.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=256)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=256)


class DigitsModule(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.5), nn.Linear(96, 10))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def validation_step(self, batch):
        x, y = batch
        return (self(x).argmax(dim=1) == y).float().sum()

    def configure_optimizers(self, lr):
        return torch.optim.Adam(self.parameters(), lr=lr)


class Runner:
    def __init__(self, cfg):
        self.cfg = cfg
        self.best_score, self.best_epoch, self.best_weights = -1.0, 0, None

    @torch.no_grad()
    def score(self, module, loader):
        module.eval()
        return sum(module.validation_step(batch).item() for batch in loader) / len(loader.dataset)

    def fit(self, module, data):
        optimizer = module.configure_optimizers(self.cfg.lr)
        train_loader, val_loader = data.train_dataloader(), data.val_dataloader()
        for epoch in range(1, self.cfg.max_epochs + 1):
            module.train()
            for batch in train_loader:
                optimizer.zero_grad()
                loss = module.training_step(batch)
                loss.backward()
                optimizer.step()
            score = self.score(module, val_loader)
            if score > self.best_score:
                self.best_score, self.best_epoch = score, epoch
                self.best_weights = copy.deepcopy(module.state_dict())
        module.load_state_dict(self.best_weights)
        print(f"best epoch {self.best_epoch} with validation accuracy {self.best_score:.4f}")

    def test(self, module, data):
        print(f"test accuracy {self.score(module, data.test_dataloader()):.4f}")


def main():
    cfg = RunConfig()
    torch.manual_seed(cfg.seed)
    data = DigitsDataModule(cfg)
    data.setup()
    module = DigitsModule()
    runner = Runner(cfg)
    runner.fit(module, data)
    runner.test(module, data)


if __name__ == "__main__":
    main()
