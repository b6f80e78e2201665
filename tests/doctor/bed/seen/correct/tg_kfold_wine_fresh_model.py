# expect: nothing
"""Five-fold cross-validation with a fresh model and scaler for each fold."""
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold


@dataclass(frozen=True)
class Scaler:
    mean: Tensor
    std: Tensor

    @classmethod
    def fit(cls, x: Tensor) -> "Scaler":
        return cls(x.mean(0), x.std(0).clamp_min(1e-6))

    def __call__(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def run_fold(build: Callable[[], nn.Module], train: TensorDataset, held_out: TensorDataset, epochs: int = 20) -> float:
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs, eta_min=5e-4)
    for _ in range(epochs):
        model.train()
        for xb, yb in DataLoader(train, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        scheduler.step()
    model.eval()
    with torch.no_grad():
        x, y = held_out.tensors
        return (model(x).argmax(1) == y).float().mean().item()


def main() -> None:
    torch.manual_seed(0)
    data = load_wine()
    x, y = torch.tensor(data.data, dtype=torch.float32), torch.tensor(data.target)
    build = lambda: nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    scores = []
    for fold, (a, b) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(data.data, data.target)):
        scaler = Scaler.fit(x[a])
        scores.append(run_fold(build, TensorDataset(scaler(x[a]), y[a]), TensorDataset(scaler(x[b]), y[b])))
        print(f"fold {fold} accuracy {scores[-1]:.3f}")
    print(f"mean {mean(scores):.3f} +- {stdev(scores):.3f}")


if __name__ == "__main__":
    main()
