# expect: nothing
"""Distils a wide teacher into a small student for the edge service."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class DistilConfig:
    temperature: float = 3.0
    alpha: float = 0.7
    lr: float = 3e-3
    teacher_epochs: int = 8
    student_epochs: int = 12


def mlp(width: int, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 10))


class Distiller:
    def __init__(self, teacher: nn.Module, cfg: DistilConfig) -> None:
        self.teacher = teacher.eval().requires_grad_(False)
        self.cfg = cfg

    def __call__(self, x: Tensor, logits: Tensor, y: Tensor) -> Tensor:
        t = self.cfg.temperature
        with torch.no_grad():
            soft = F.softmax(self.teacher(x) / t, dim=1)
        kl = F.kl_div(F.log_softmax(logits / t, dim=1), soft, reduction="batchmean") * t * t
        return self.cfg.alpha * kl + (1 - self.cfg.alpha) * F.cross_entropy(logits, y)


def plain(x: Tensor, logits: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(logits, y)


def fit(model: nn.Module, loader: DataLoader, objective, lr: float, epochs: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = objective(x, model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(loader):.4f}")


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    model.eval()
    return (model(x).argmax(dim=-1) == y).float().mean().item()


def main() -> None:
    cfg = DistilConfig()
    torch.manual_seed(29)
    x, y = load_digits(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(
        torch.tensor(x / 8.0 - 1.0, dtype=torch.float32), torch.tensor(y),
        test_size=0.25, stratify=y, random_state=29)
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)
    teacher = mlp(128, dropout=0.2)
    fit(teacher, loader, plain, cfg.lr, cfg.teacher_epochs)
    student = mlp(16)
    fit(student, loader, Distiller(teacher, cfg), cfg.lr, cfg.student_epochs)
    print(f"teacher {accuracy(teacher, x_te, y_te):.3f} student {accuracy(student, x_te, y_te):.3f}")


if __name__ == "__main__":
    main()
