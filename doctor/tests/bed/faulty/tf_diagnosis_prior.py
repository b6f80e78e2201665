# expect: dead_relu @ 46
# mend: 46 →                 nn.init.zeros_(module.bias)
# mend: 46 +         nn.init.constant_(self.head.bias, math.log(prior / (1 - prior)))
"""Screening network with a prior-aware bias, as the platform team builds all detectors."""
import logging
import math
from dataclasses import dataclass

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="[%(name)s] %(message)s")
log = logging.getLogger("screening")


@dataclass(frozen=True)
class DetectorConfig:
    widths: tuple[int, ...] = (32, 16)
    prior: float = 0.01
    lr: float = 3e-3
    epochs: int = 15
    batch_size: int = 32


class Detector(nn.Module):
    def __init__(self, n_features: int, cfg: DetectorConfig) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width = n_features
        for out in cfg.widths:
            blocks += [nn.Linear(width, out), nn.ReLU()]
            width = out
        self.backbone = nn.Sequential(*blocks)
        self.head = nn.Linear(width, 1)
        self.reset_parameters(cfg.prior)

    def reset_parameters(self, prior: float) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.constant_(module.bias, math.log(prior / (1 - prior)))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x)).squeeze(1)


def fit(model: Detector, loader: DataLoader, cfg: DetectorConfig) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(cfg.epochs):
        model.train()
        running, rows = 0.0, 0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(y)
            rows += len(y)
        log.info("epoch %02d loss %.4f", epoch, running / rows)


def predict(model: Detector, x: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        return (model(x) > 0).long()


def main() -> None:
    cfg = DetectorConfig()
    torch.manual_seed(13)
    x, y = load_breast_cancer(return_X_y=True)
    malignant = 1 - y
    x_tr, x_te, y_tr, y_te = train_test_split(x, malignant, test_size=0.3, stratify=y, random_state=13)
    scaler = StandardScaler().fit(x_tr)
    train_rows = TensorDataset(torch.tensor(scaler.transform(x_tr), dtype=torch.float32),
                               torch.tensor(y_tr, dtype=torch.float32))
    model = Detector(x.shape[1], cfg)
    fit(model, DataLoader(train_rows, cfg.batch_size, shuffle=True), cfg)
    labels = predict(model, torch.tensor(scaler.transform(x_te), dtype=torch.float32))
    print(f"balanced accuracy {balanced_accuracy_score(y_te, labels.numpy()):.3f}")


if __name__ == "__main__":
    main()
