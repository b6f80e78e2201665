# missed: class_imbalance @ 77
# mend: 77 →     criterion = nn.CrossEntropyLoss(weight=counts.sum() / (2 * counts))
"""Payment fraud detector with metric objects (reset/update/compute) in the torchmetrics manner."""
import argparse

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Metric:
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.tp = self.fn = self.hit = self.seen = 0

    def update(self, logits: Tensor, target: Tensor) -> None:
        pred = logits.argmax(dim=1)
        self.tp += int(((pred == 1) & (target == 1)).sum())
        self.fn += int(((pred == 0) & (target == 1)).sum())
        self.hit += int((pred == target).sum())
        self.seen += len(target)

    def compute(self) -> dict[str, float]:
        return {"accuracy": self.hit / self.seen, "fraud_recall": self.tp / max(self.tp + self.fn, 1)}


def make_payments(n: int, seed: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < 0.03
    x = rng.normal(0, 1, (n, 8))
    x[fraud, :4] += 0.85
    return torch.tensor(x, dtype=torch.float32), torch.tensor(fraud.astype(np.int64))


class FraudNet(nn.Sequential):
    def __init__(self, n_in: int, hidden: int) -> None:
        super().__init__(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, 2))


def train_one_epoch(model: nn.Module, criterion: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> float:
    model.train()
    total = 0.0
    for x, y in loader:
        loss = criterion(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader, metric: Metric) -> dict[str, float]:
    model.eval()
    metric.reset()
    for x, y in loader:
        metric.update(model(x), y)
    return metric.compute()


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--hidden", type=int, default=16)
    args = p.parse_args()
    torch.manual_seed(4)
    x, y = make_payments(8000, seed=4)
    train, test = TensorDataset(x[:6000], y[:6000]), TensorDataset(x[6000:], y[6000:])
    loader = DataLoader(train, batch_size=128, shuffle=True)
    model = FraudNet(8, args.hidden)
    counts = torch.bincount(train.tensors[1], minlength=2).float()
    print(f"train rows {len(train)}, fraud {int(counts[1])}")
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        print(f"epoch {epoch} loss {train_one_epoch(model, criterion, loader, optimizer):.4f}")
    report = evaluate(model, DataLoader(test, batch_size=500), Metric())
    print("test", {k: round(v, 3) for k, v in report.items()})


if __name__ == "__main__":
    main()
