# expect: graph_kept_alive @ 87
# allowed: graph_kept_alive @ 22
# Knowledge distillation on digits: a wide conv teacher, a thin student.
from collections import defaultdict

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(21)


class Meter:
    """Weighted running mean of a named quantity."""

    def __init__(self):
        self.total, self.weight = 0.0, 0

    def add(self, value, n=1):
        self.total = self.total + value * n
        self.weight += n

    @property
    def mean(self):
        return self.total / max(self.weight, 1)


class Board:
    def __init__(self):
        self.meters = defaultdict(Meter)

    def log(self, n, **values):
        for k, v in values.items():
            self.meters[k].add(v, n)

    def line(self):
        return "  ".join(f"{k} {m.mean:.4f}" for k, m in self.meters.items())


def convnet(width):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(8 * width, 10))


def batches(x, y, size=64):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


@torch.inference_mode()
def accuracy(net, x, y):
    net.eval()
    return (net(x).argmax(1) == y).float().mean().item()


def train_teacher(x, y, epochs=5):
    net = convnet(16)
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(epochs):
        net.train()
        for xb, yb in batches(x, y):
            opt.zero_grad()
            F.cross_entropy(net(xb), yb).backward()
            opt.step()
    return net.eval().requires_grad_(False)


def distill(teacher, x, y, epochs=8, temp=3.0, alpha=0.7):
    student = convnet(4)
    opt = torch.optim.AdamW(student.parameters(), lr=8e-3)
    board = Board()
    for epoch in range(epochs):
        student.train()
        for xb, yb in batches(x, y):
            out, ref = student(xb), teacher(xb)
            soft = F.kl_div(F.log_softmax(out / temp, 1), F.softmax(ref / temp, 1),
                            reduction="batchmean") * temp ** 2
            hard = F.cross_entropy(out, yb)
            loss = alpha * soft + (1 - alpha) * hard
            opt.zero_grad()
            loss.backward()
            opt.step()
            board.log(len(xb), loss=loss.item(), soft=soft, hard=hard.item())
        if epoch % 3 == 1:
            print(f"[{epoch:2d}] {board.line()}")
    return student


digits = load_digits()
x = torch.tensor(digits.images / 16.0, dtype=torch.float32)[:, None]
y = torch.tensor(digits.target)
tr, te = train_test_split(range(len(y)), test_size=0.3, stratify=digits.target, random_state=21)
teacher = train_teacher(x[tr], y[tr])
student = distill(teacher, x[tr], y[tr])
print(f"teacher {accuracy(teacher, x[te], y[te]):.4f}  student {accuracy(student, x[te], y[te]):.4f}")
