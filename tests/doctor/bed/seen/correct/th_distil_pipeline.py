# expect: nothing
"""Distils a wide digit classifier into a narrow one; one generic `fit` takes the loss as a strategy object."""
from dataclasses import dataclass
from typing import Callable, Iterator

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

LossStrategy = Callable[[nn.Module, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Batches:
    x: Tensor
    y: Tensor
    size: int = 32

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for idx in torch.randperm(len(self.x)).split(self.size):
            yield self.x[idx], self.y[idx]

    def __len__(self) -> int:
        return -(-len(self.x) // self.size)


def hard_labels(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(model(x), y, label_smoothing=0.05)


@dataclass
class Distillation:
    teacher: nn.Module
    temperature: float = 3.0
    alpha: float = 0.7

    def __post_init__(self) -> None:
        self.teacher.eval().requires_grad_(False)

    def __call__(self, student: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            target = F.softmax(self.teacher(x) / self.temperature, dim=-1)
        scores = student(x)
        soft = F.kl_div(F.log_softmax(scores / self.temperature, dim=-1), target, reduction="batchmean")
        return self.alpha * self.temperature**2 * soft + (1 - self.alpha) * F.cross_entropy(scores, y)


def fit(model: nn.Module, batches: Batches, loss_of: LossStrategy, epochs: int, lr: float) -> list[float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-2)
    total_steps = epochs * len(batches)
    warm = total_steps // 10
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, max(0.05, (total_steps - s) / (total_steps - warm)))
    )
    curve = []
    model.train()
    for _ in range(epochs):
        losses = []
        for x, y in batches:
            loss = loss_of(model, x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        curve.append(torch.stack(losses).mean().item())
    return curve


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    was_training = model.training
    model.eval()
    result = (model(x).argmax(dim=-1) == y).float().mean().item()
    model.train(was_training)
    return result


def mlp(*widths: int, dropout: float = 0.0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in zip(widths[:-2], widths[1:-1]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def main() -> None:
    torch.manual_seed(12)
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(x / 8.0 - 1.0, y, test_size=0.3, stratify=y, random_state=12)
    x_train, x_test = (torch.tensor(a, dtype=torch.float32) for a in parts[:2])
    y_train, y_test = (torch.tensor(a) for a in parts[2:])
    batches = Batches(x_train, y_train)

    teacher, student = mlp(64, 128, 128, 10, dropout=0.2), mlp(64, 20, 10)
    teacher_curve = fit(teacher, batches, hard_labels, epochs=12, lr=4e-3)
    student_curve = fit(student, batches, Distillation(teacher), epochs=12, lr=4e-3)
    for name, model, curve in (("teacher", teacher, teacher_curve), ("student", student, student_curve)):
        size = sum(p.numel() for p in model.parameters())
        right = accuracy(model, x_test, y_test)
        print(f"{name}: {size} weights, loss {curve[0]:.3f} -> {curve[-1]:.3f}, test accuracy {right:.3f}")


if __name__ == "__main__":
    main()
