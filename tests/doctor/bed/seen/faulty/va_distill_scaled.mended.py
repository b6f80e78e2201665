# expect: nothing
"""Knowledge distillation: a wide teacher on digits, a small student that follows its softened outputs."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--teacher-epochs", default=10, type=int)
parser.add_argument("--student-epochs", default=12, type=int)
parser.add_argument("--batch-size", default=64, type=int)
parser.add_argument("--base-lr", default=0.2, type=float, help="student learning rate for a batch of 256")
parser.add_argument("--momentum", default=0.9, type=float)
parser.add_argument("--alpha", default=0.7, type=float, help="weight of the soft targets")
parser.add_argument("--T", default=3.0, type=float)
parser.add_argument("--seed", default=1, type=int)


def get_loaders(args):
    d = load_digits()
    x = torch.from_numpy(d.data).float().div(16.0)
    y = torch.from_numpy(d.target)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.25, stratify=y, random_state=args.seed)
    train = DataLoader(TensorDataset(x_tr, y_tr), batch_size=args.batch_size, shuffle=True)
    test = DataLoader(TensorDataset(x_te, y_te), batch_size=256)
    return train, test


def scaled_lr(args):
    """Linear scaling rule (Goyal et al. 2017)."""
    return args.base_lr * args.batch_size / 256


def fit_teacher(net, loader, epochs):
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()


def distill_loss(student_logits, teacher_logits, y, alpha, T):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.log_softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return alpha * T * T * soft + (1 - alpha) * F.cross_entropy(student_logits, y)


def distill(student, teacher, loader, args):
    lr = scaled_lr(args)
    opt = torch.optim.SGD(student.parameters(), lr=lr, momentum=args.momentum)
    teacher.eval()
    student.train()
    print(f"student lr {lr:g}")
    for epoch in range(args.student_epochs):
        total = 0.0
        for x, y in loader:
            with torch.no_grad():
                t_logits = teacher(x)
            loss = distill_loss(student(x), t_logits, y, args.alpha, args.T)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
        print(f"epoch {epoch + 1:2d}: loss {total / len(loader.dataset):.4f}")


@torch.no_grad()
def evaluate(net, loader):
    net.eval()
    hits = sum((net(x).argmax(1) == y).sum().item() for x, y in loader)
    return hits / len(loader.dataset)


def main():
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train, test = get_loaders(args)
    teacher = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    student = nn.Sequential(nn.Linear(64, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 10))
    fit_teacher(teacher, train, args.teacher_epochs)
    distill(student, teacher, train, args)
    print(f"teacher {evaluate(teacher, test):.3f}  student {evaluate(student, test):.3f}")


if __name__ == "__main__":
    main()
