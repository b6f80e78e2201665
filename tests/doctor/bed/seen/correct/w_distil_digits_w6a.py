# expect: nothing
"""Knowledge distillation on digits: a wide teacher, a narrow student, soft targets at a temperature."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

TEMPERATURE, MIX = 3.0, 0.7


def digits():
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    y = torch.tensor(y)
    train, test = train_test_split(torch.arange(len(y)), test_size=0.3, stratify=y, random_state=10)
    return x[train], y[train], x[test], y[test]


def mlp(width, dropout):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))


def distillation_loss(student_logits, teacher_logits, y):
    soft_targets = F.softmax(teacher_logits / TEMPERATURE, dim=1)
    log_student = F.log_softmax(student_logits / TEMPERATURE, dim=1)
    soft = F.kl_div(log_student, soft_targets, reduction="batchmean") * TEMPERATURE ** 2
    hard = F.cross_entropy(student_logits, y)
    return MIX * soft + (1 - MIX) * hard


def fit(net, x, y, epochs, teacher=None):
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    net.train()
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(64):
            logits = net(x[rows])
            if teacher is None:
                loss = F.cross_entropy(logits, y[rows])
            else:
                with torch.no_grad():
                    goal = teacher(x[rows])
                loss = distillation_loss(logits, goal, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    print(f"  last training loss {total / len(x):.4f}")
    return net


def accuracy(net, x, y):
    was_training = net.training
    net.eval()
    with torch.no_grad():
        value = (net(x).argmax(dim=1) == y).float().mean().item()
    net.train(was_training)
    return value


def main():
    torch.manual_seed(10)
    xtr, ytr, xte, yte = digits()

    print("teacher")
    teacher = fit(mlp(128, dropout=0.3), xtr, ytr, epochs=15)
    teacher.eval()
    for p in teacher.parameters():
        p.requires_grad_(False)

    print("student")
    student = fit(mlp(32, dropout=0.0), xtr, ytr, epochs=20, teacher=teacher)
    print(f"teacher {accuracy(teacher, xte, yte):.3f}  student {accuracy(student, xte, yte):.3f}")


if __name__ == "__main__":
    main()
