# expect: test_in_train @ 55
"""Weekly refit of the document classifier: load, split, standardise, fit, write a report."""
import json
import logging
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
logger = logging.getLogger("refit")


@dataclass
class RefitConfig:
    test_size: float = 0.3
    hidden: int = 64
    dropout: float = 0.2
    epochs: int = 25
    batch_size: int = 64
    lr: float = 3e-3
    seed: int = 2024


class Frame(NamedTuple):
    x: Tensor
    y: Tensor


class RefitJob:
    def __init__(self, cfg: RefitConfig) -> None:
        self.cfg = cfg
        torch.manual_seed(cfg.seed)

    def load(self) -> None:
        x, y = load_digits(return_X_y=True)
        self.frame = Frame(torch.tensor(x / 16.0, dtype=torch.float32), torch.tensor(y))
        x_tr, x_te, y_tr, y_te = train_test_split(
            self.frame.x, self.frame.y, test_size=self.cfg.test_size,
            stratify=y, random_state=self.cfg.seed)
        self.train_frame, self.test_frame = Frame(x_tr, y_tr), Frame(x_te, y_te)
        logger.info("%d rows to fit, %d rows held out", len(y_tr), len(y_te))

    def build(self) -> None:
        cfg = self.cfg
        self.model = nn.Sequential(
            nn.Linear(64, cfg.hidden), nn.ReLU(), nn.Dropout(cfg.dropout), nn.Linear(cfg.hidden, 10))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=cfg.lr)

    def fit(self) -> None:
        rows = TensorDataset(*self.frame)
        loader = DataLoader(rows, batch_size=self.cfg.batch_size, shuffle=True)
        for epoch in range(self.cfg.epochs):
            self.model.train()
            seen, total = 0, 0.0
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = nn.functional.cross_entropy(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(y)
                seen += len(y)
            logger.info("epoch %d loss %.4f", epoch, total / seen)

    def report(self) -> dict:
        self.model.eval()
        with torch.no_grad():
            logits = self.model(self.test_frame.x)
        accuracy = (logits.argmax(1) == self.test_frame.y).float().mean().item()
        return {"config": asdict(self.cfg), "accuracy": round(accuracy, 4)}


def main() -> None:
    job = RefitJob(RefitConfig())
    for stage in (job.load, job.build, job.fit):
        stage()
    print(json.dumps(job.report(), sort_keys=True))


if __name__ == "__main__":
    main()
