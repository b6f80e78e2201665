# expect: sigmoid_before_bce_with_logits @ 39
# allowed: sigmoid_before_bce_with_logits @ 47
# mend: 39 →
"""Scores incoming claims; the model, the loss and the job live in one file for the batch runner."""
import argparse
import logging

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger("claims")


class Normalizer(nn.Module):
    """Feature statistics are shipped with the weights."""

    def __init__(self, reference: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", reference.mean(0))
        self.register_buffer("std", reference.std(0).clamp_min(1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class ClaimScorer(nn.Module):
    def __init__(self, reference: Tensor, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm = Normalizer(reference)
        self.body = nn.Sequential(
            nn.Linear(reference.shape[1], hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.norm(x)).squeeze(-1)


def train(model: nn.Module, loader: DataLoader, args: argparse.Namespace) -> None:
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-4)
    model.train()
    for epoch in range(args.epochs):
        running = 0.0
        for features, label in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(features), label)
            loss.backward()
            optimizer.step()
            running += loss.item()
        logger.info("epoch %d: loss %.4f", epoch + 1, running / len(loader))


def score(model: nn.Module, features: Tensor) -> Tensor:
    model.eval()
    with torch.inference_mode():
        return model(features)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=24)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args = parse_args()
    torch.manual_seed(args.seed)
    data = load_breast_cancer()
    x_train, x_test, y_train, y_test = train_test_split(
        torch.tensor(data.data, dtype=torch.float32),
        torch.tensor(1 - data.target, dtype=torch.float32),
        test_size=0.25, stratify=data.target, random_state=args.seed)
    scorer = ClaimScorer(x_train, args.hidden, args.dropout)
    train(scorer, DataLoader(TensorDataset(x_train, y_train), args.batch_size, shuffle=True), args)
    ranking = score(scorer, x_test)
    print(f"AUC {roc_auc_score(y_test, ranking):.4f}  AP {average_precision_score(y_test, ranking):.4f}")
