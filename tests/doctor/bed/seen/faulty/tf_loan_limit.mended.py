# expect: nothing
"""Loan approval model: tabular MLP over application data, packaged as an estimator with fit/predict."""
import logging
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

logging.basicConfig(level=logging.INFO, format="%(message)s")
logger = logging.getLogger("approval")


def applications(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10.8, 0.4, n)
    amount = rng.lognormal(9.8, 0.5, n)
    debt_share = rng.beta(2, 5, n)
    late_payments = rng.poisson(1.5, n)
    age = rng.uniform(20, 70, n)
    merit = (1.5 * (np.log(income) - 10.8) - 1.2 * (np.log(amount) - 9.8)
             - 5.0 * (debt_share - 0.28) - 0.9 * (late_payments - 1.5) + 0.01 * (age - 45))
    approved = (merit + rng.logistic(0, 0.25, n) > 0).astype(np.float32)
    return np.column_stack([income, amount, debt_share, late_payments, age]).astype(np.float32), approved


@dataclass
class ApprovalConfig:
    hidden: int = 32
    lr: float = 0.01
    momentum: float = 0.9
    epochs: int = 25
    batch_size: int = 64


class ApprovalEstimator:
    def __init__(self, config: ApprovalConfig) -> None:
        self.config = config

    def _prepare(self, x: np.ndarray) -> torch.Tensor:
        return (torch.from_numpy(x) - self.center_) / self.spread_

    def fit(self, x: np.ndarray, y: np.ndarray) -> "ApprovalEstimator":
        cfg = self.config
        self.center_ = torch.from_numpy(x).mean(0)
        self.spread_ = torch.from_numpy(x).std(0)
        self.net_ = nn.Sequential(nn.Linear(x.shape[1], cfg.hidden), nn.Tanh(), nn.Linear(cfg.hidden, 1))
        optimizer = torch.optim.SGD(self.net_.parameters(), lr=cfg.lr, momentum=cfg.momentum)
        inputs, target = self._prepare(x), torch.from_numpy(y)
        self.net_.train()
        for epoch in range(cfg.epochs):
            total = 0.0
            for rows in torch.randperm(len(target)).split(cfg.batch_size):
                optimizer.zero_grad()
                logit = self.net_(inputs[rows]).squeeze(1)
                loss = nn.functional.binary_cross_entropy_with_logits(logit, target[rows])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
            if (epoch + 1) % 5 == 0:
                logger.info("epoch %d loss %.4f", epoch + 1, total / len(target))
        return self

    @torch.no_grad()
    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        self.net_.eval()
        return torch.sigmoid(self.net_(self._prepare(x)).squeeze(1)).numpy()


def main() -> None:
    torch.manual_seed(1)
    x, y = applications(2000, seed=1)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=1)
    estimator = ApprovalEstimator(ApprovalConfig()).fit(x_train, y_train)
    proba = estimator.predict_proba(x_test)
    print(f"accuracy {accuracy_score(y_test, proba > 0.5):.3f}  AUC {roc_auc_score(y_test, proba):.3f}")


if __name__ == "__main__":
    main()
