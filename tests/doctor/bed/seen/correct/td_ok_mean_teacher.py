# expect: nothing
"""Mean teacher on digits: a few labelled pictures, many without labels, the teacher is a moving average of the student."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def network():
    return nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 10))


def disturb(x, std=0.15):
    return x + std * torch.randn_like(x)


@torch.no_grad()
def follow(teacher, student, keep):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(keep).add_(s, alpha=1 - keep)


@torch.no_grad()
def accuracy(net, x, y):
    was_training = net.training
    net.eval()
    score = (net(x).argmax(1) == y).float().mean().item()
    net.train(was_training)
    return score


def ramp(step, length):
    return min(1.0, step / length)


def main(steps=500, keep=0.97):
    torch.manual_seed(30)
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 16
    y = torch.tensor(digits.target)
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=30)
    x_lab, x_unl, y_lab, _ = train_test_split(x_rest, y_rest, train_size=200, stratify=y_rest, random_state=30)

    student = network()
    teacher = copy.deepcopy(student)
    for p in teacher.parameters():
        p.requires_grad_(False)
    optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)

    student.train()
    teacher.train()
    for step in range(1, steps + 1):
        a = torch.randint(len(x_lab), (32,))
        b = torch.randint(len(x_unl), (64,))
        supervised = F.cross_entropy(student(disturb(x_lab[a])), y_lab[a])
        mine = student(disturb(x_unl[b])).softmax(dim=1)
        hers = teacher(disturb(x_unl[b])).softmax(dim=1)
        consistency = F.mse_loss(mine, hers)
        loss = supervised + 5.0 * ramp(step, 200) * consistency
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        follow(teacher, student, keep)
        if step % 100 == 0:
            print(f"step {step}: supervised {supervised.item():.4f} consistency {consistency.item():.5f}")

    print(f"{len(x_lab)} labelled, {len(x_unl)} unlabelled pictures")
    print(f"test accuracy: student {accuracy(student, x_test, y_test):.3f}, teacher {accuracy(teacher, x_test, y_test):.3f}")


if __name__ == "__main__":
    main()
