# expect: nothing
"""Mean teacher on digits with 150 labelled rows: the student follows its own weight average on noisy unlabelled rows."""
import copy
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def noisy(x, sigma=0.15):
    return x + sigma * torch.randn_like(x)


def rampup(step, length, top):
    t = min(step / length, 1.0)
    return top * math.exp(-5 * (1 - t) ** 2)


@torch.no_grad()
def update_teacher(student, teacher, step, limit=0.97):
    decay = min(limit, 1 - 1 / (step + 1))
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(decay).add_(s, alpha=1 - decay)


@torch.no_grad()
def accuracy(net, x, y):
    was_training = net.training
    net.eval()
    acc = (net(x).argmax(1) == y).float().mean().item()
    net.train(was_training)
    return acc


torch.manual_seed(14)
X, y = load_digits(return_X_y=True)
x_tr, x_te, y_tr, y_te = train_test_split(X / 16 - 0.3, y, test_size=0.3, stratify=y, random_state=14)
x_lab, x_unl, y_lab, _ = train_test_split(x_tr, y_tr, train_size=150, stratify=y_tr, random_state=14)
x_lab, x_unl, x_te = (torch.tensor(a, dtype=torch.float32) for a in (x_lab, x_unl, x_te))
y_lab, y_te = torch.tensor(y_lab), torch.tensor(y_te)

student = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)

STEPS = 300
student.train()
teacher.train()
for step in range(STEPS):
    lab = torch.randint(len(x_lab), (50,))
    unl = torch.randint(len(x_unl), (50,))
    inputs = torch.cat([x_lab[lab], x_unl[unl]])
    logits = student(noisy(inputs))
    with torch.no_grad():
        target = teacher(noisy(inputs)).softmax(dim=1)
    supervised = F.cross_entropy(logits[:50], y_lab[lab])
    consistency = ((logits.softmax(dim=1) - target) ** 2).sum(dim=1).mean()
    loss = supervised + rampup(step, 150, 3.0) * consistency
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    update_teacher(student, teacher, step)
    if (step + 1) % 100 == 0:
        print(f"step {step + 1} supervised {supervised.item():.4f} consistency {consistency.item():.4f}")

print(f"student test accuracy {accuracy(student, x_te, y_te):.4f}")
print(f"teacher test accuracy {accuracy(teacher, x_te, y_te):.4f}")
