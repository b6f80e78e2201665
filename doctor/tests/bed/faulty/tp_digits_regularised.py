# missed: missing_eval @ 42
# mend: 42 →         self.model.eval()
"""Digits with batch norm and dropout, an abstract trainer and a task class that fills in the steps."""
import abc

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class BaseTrainer(abc.ABC):
    def __init__(self, model, max_epochs):
        self.model = model
        self.max_epochs = max_epochs
        self.optimizer = self.configure_optimizer()

    @abc.abstractmethod
    def configure_optimizer(self): ...

    @abc.abstractmethod
    def training_step(self, batch): ...

    @abc.abstractmethod
    def validation_step(self, batch): ...

    def fit(self, loader):
        for epoch in range(self.max_epochs):
            self.model.train()
            losses = []
            for batch in loader:
                self.optimizer.zero_grad()
                loss = self.training_step(batch)
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            print(f"epoch {epoch + 1}: {sum(losses) / len(losses):.4f}")

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval
        results = [self.validation_step(batch) for batch in loader]
        return torch.cat(results).float().mean().item()


class DigitTrainer(BaseTrainer):
    def configure_optimizer(self):
        return torch.optim.AdamW(self.model.parameters(), lr=3e-3, weight_decay=1e-2)

    def training_step(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self.model(x), y)

    def validation_step(self, batch):
        x, y = batch
        return self.model(x).argmax(dim=-1).eq(y)


def block(n_in, n_out, p):
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(p))


def main():
    torch.manual_seed(2)
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(x / 16.0, y, test_size=0.25, stratify=y, random_state=2)
    x_tr, x_te = (torch.tensor(a, dtype=torch.float32) for a in parts[:2])
    y_tr, y_te = (torch.tensor(a) for a in parts[2:])
    train_loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True, drop_last=True)
    test_loader = DataLoader(TensorDataset(x_te, y_te), batch_size=50)
    model = nn.Sequential(block(64, 128, 0.4), block(128, 64, 0.4), nn.Linear(64, 10))
    trainer = DigitTrainer(model, max_epochs=12)
    trainer.fit(train_loader)
    print(f"test accuracy {trainer.evaluate(test_loader):.3f}")


if __name__ == "__main__":
    main()
