# expect: nothing
"""Knowledge distillation on digits: a wide teacher, a narrow student, softened targets."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

TEMPERATURE, ALPHA = 3.0, 0.7
torch.manual_seed(31)

digits = load_digits()
pixels = torch.tensor(digits.data / 16.0, dtype=torch.float32)
target = torch.tensor(digits.target)
fit_rows, test_rows = train_test_split(torch.arange(len(target)).numpy(), test_size=0.3, stratify=digits.target, random_state=31)
train_loader = DataLoader(TensorDataset(pixels[fit_rows], target[fit_rows]), batch_size=64, shuffle=True, drop_last=True)
test_loader = DataLoader(TensorDataset(pixels[test_rows], target[test_rows]), batch_size=256)


def mlp(width, dropout):
    return nn.Sequential(
        nn.Linear(64, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, 10),
    )


teacher, student = mlp(128, 0.3), mlp(24, 0.1)


def accuracy(net, loader):
    net.eval()
    correct = 0
    with torch.no_grad():
        for x, y in loader:
            correct += (net(x).argmax(dim=1) == y).sum().item()
    return correct / len(loader.dataset)


def train_teacher(epochs):
    optimizer = torch.optim.Adam(teacher.parameters(), lr=2e-3)
    for _ in range(epochs):
        teacher.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            F.cross_entropy(teacher(x), y).backward()
            optimizer.step()


def distillation_loss(student_logits, teacher_logits, y):
    soft = F.kl_div(
        F.log_softmax(student_logits / TEMPERATURE, dim=1),
        F.softmax(teacher_logits / TEMPERATURE, dim=1),
        reduction="batchmean",
    ) * TEMPERATURE ** 2
    return ALPHA * soft + (1 - ALPHA) * F.cross_entropy(student_logits, y)


def train_student(epochs):
    optimizer = torch.optim.Adam(student.parameters(), lr=4e-3)
    teacher.eval()
    for epoch in range(epochs):
        student.train()
        total = 0.0
        for x, y in train_loader:
            with torch.no_grad():
                hints = teacher(x)
            loss = distillation_loss(student(x), hints, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 3 == 2:
            print(f"student epoch {epoch + 1}: loss {total / len(train_loader):.3f}")


train_teacher(8)
print(f"teacher test accuracy {accuracy(teacher, test_loader):.3f}")
train_student(9)
print(f"student test accuracy {accuracy(student, test_loader):.3f}")
