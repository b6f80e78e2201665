# missed: bad_label_values @ 33
# mend: 33 →         self.y = torch.tensor(frame["status_code"].to_numpy() == 2, dtype=torch.float32)
"""Churn model on CRM extracts (status code 1 = active, 2 = left); pandas in, probabilities out."""
import logging

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
log = logging.getLogger("churn")
FEATURES = ["tenure_months", "tickets", "monthly_fee", "logins"]


def load_extract(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "tenure_months": rng.gamma(4.0, 8.0, rows),
        "tickets": rng.poisson(2.0, rows),
        "monthly_fee": rng.normal(40.0, 12.0, rows),
        "logins": rng.poisson(9.0, rows),
    })
    risk = 1.2 * (frame.tickets - 2) - 0.06 * (frame.tenure_months - 32) - 0.5 * (frame.logins - 9)
    frame["status_code"] = np.where(risk + rng.logistic(0, 0.8, rows) > 0, 2, 1)
    return frame


class ChurnDataset(Dataset):
    def __init__(self, frame: pd.DataFrame, mean: pd.Series, std: pd.Series) -> None:
        self.x = torch.tensor(((frame[FEATURES] - mean) / std).to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(frame["status_code"].to_numpy(), dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int):
        return self.x[index], self.y[index]


class ChurnNet(nn.Module):
    def __init__(self, n_features: int, hidden: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).flatten()


class ChurnJob:
    def __init__(self, epochs: int = 8, lr: float = 1e-2) -> None:
        self.epochs = epochs
        self.net = ChurnNet(len(FEATURES))
        self.loss = nn.BCEWithLogitsLoss()
        self.optim = torch.optim.Adam(self.net.parameters(), lr=lr)

    def run(self, loader: DataLoader) -> None:
        for epoch in range(1, self.epochs + 1):
            self.net.train()
            history = []
            for x, y in loader:
                self.optim.zero_grad()
                loss = self.loss(self.net(x), y)
                loss.backward()
                self.optim.step()
                history.append(loss.item())
            log.info("epoch %d mean loss %.4f", epoch, np.mean(history))

    def accuracy(self, frame: pd.DataFrame, data: ChurnDataset) -> float:
        self.net.eval()
        with torch.no_grad():
            leaves = torch.sigmoid(self.net(data.x)) > 0.5
        return float(np.mean(leaves.numpy() == (frame["status_code"] == 2).to_numpy()))


if __name__ == "__main__":
    torch.manual_seed(3)
    extract = load_extract(1500, seed=3)
    train_frame, test_frame = extract.iloc[:1100], extract.iloc[1100:]
    mean, std = train_frame[FEATURES].mean(), train_frame[FEATURES].std()
    train_ds = ChurnDataset(train_frame, mean, std)
    test_ds = ChurnDataset(test_frame, mean, std)
    job = ChurnJob()
    job.run(DataLoader(train_ds, batch_size=64, shuffle=True))
    print(f"holdout accuracy {job.accuracy(test_frame, test_ds):.3f}")
