# missed: class_imbalance @ 42
# mend: 42 →         self.criterion = nn.BCEWithLogitsLoss(pos_weight=(len(labels) - positives) / positives)
"""Card fraud alerts: a small network over transaction features, reported with precision and recall."""
import argparse
import logging

import numpy as np
import torch
from sklearn.metrics import precision_recall_fscore_support
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger("fraud")


def transactions(n: int, fraud_share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    fraud = (rng.random(n) < fraud_share).astype(np.float32)
    x = rng.normal(0, 1, (n, 6)).astype(np.float32)
    x[:, 0] += 1.1 * fraud
    x[:, 1] -= 0.9 * fraud
    x[:, 2] += 0.9 * fraud
    return x, fraud


class FraudModel(nn.Module):
    def __init__(self, n_features: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_features, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.hidden(x))).squeeze(-1)


class AlertTrainer:
    def __init__(self, model: FraudModel, args: argparse.Namespace, labels: torch.Tensor) -> None:
        self.model = model
        self.args = args
        positives = labels.sum()
        logger.info("%d of %d training rows are fraud", int(positives), len(labels))
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=1e-4)

    def fit(self, loader: DataLoader) -> None:
        self.model.train()
        for epoch in range(self.args.epochs):
            total = 0.0
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                total += loss.item()
            logger.info("epoch %d loss %.4f", epoch, total / len(loader))

    @torch.no_grad()
    def alerts(self, x: torch.Tensor) -> np.ndarray:
        self.model.eval()
        return (torch.sigmoid(self.model(x)) > self.args.threshold).numpy()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--fraud-share", type=float, default=0.03)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--batch-size", type=int, default=128)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(9)
    x, y = transactions(args.rows, args.fraud_share, np.random.default_rng(9))
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=9)
    x_tr, y_tr = torch.from_numpy(x_tr), torch.from_numpy(y_tr)
    trainer = AlertTrainer(FraudModel(x.shape[1], 16), args, y_tr)
    trainer.fit(DataLoader(TensorDataset(x_tr, y_tr), args.batch_size, shuffle=True))
    alerts = trainer.alerts(torch.from_numpy(x_te))
    precision, recall, f1, _ = precision_recall_fscore_support(y_te, alerts, average="binary", zero_division=0)
    print(f"accuracy {np.mean(alerts == y_te):.3f} precision {precision:.3f} recall {recall:.3f} f1 {f1:.3f}")


if __name__ == "__main__":
    main()
