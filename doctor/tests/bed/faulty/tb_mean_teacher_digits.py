# expect: augment_on_test @ 57
# mend: 57 →             right += (self.teacher(xb).argmax(1) == yb).sum().item()
"""Mean teacher: 100 labelled digits, the others unlabelled; the averaged teacher is scored on a held-out part."""
import copy
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def jitter(x, noise=0.25, drop=0.25):
    """Pixel noise and random erasing of pixels."""
    keep = (torch.rand_like(x) > drop).float()
    return x * keep + noise * torch.randn_like(x)


def make_net():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


class MeanTeacher:
    def __init__(self, net, decay=0.98, max_weight=2.0, ramp=150, lr=2e-3):
        self.student = net
        self.teacher = copy.deepcopy(net).requires_grad_(False)
        self.decay, self.max_weight, self.ramp = decay, max_weight, ramp
        self.optimizer = torch.optim.Adam(self.student.parameters(), lr=lr)
        self.step_no = 0

    def weight(self):
        t = min(1.0, self.step_no / self.ramp)
        return self.max_weight * math.exp(-5 * (1 - t) ** 2)

    def step(self, x_lab, y_lab, x_all):
        self.student.train()
        class_loss = F.cross_entropy(self.student(jitter(x_lab)), y_lab)
        with torch.no_grad():
            wanted = self.teacher(jitter(x_all)).softmax(1)
        agree = F.mse_loss(self.student(jitter(x_all)).softmax(1), wanted)
        loss = class_loss + self.weight() * agree
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.step_no += 1
        with torch.no_grad():
            for slow, fast in zip(self.teacher.parameters(), self.student.parameters()):
                slow.lerp_(fast, 1 - self.decay)
        return class_loss.item()

    @torch.no_grad()
    def score(self, x, y, batch=128):
        self.teacher.eval()
        right = 0
        for xb, yb in zip(x.split(batch), y.split(batch)):
            right += (self.teacher(jitter(xb)).argmax(1) == yb).sum().item()
        return right / len(y)


def main():
    torch.manual_seed(13)
    digits = load_digits()
    x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
    y = torch.tensor(digits.target)
    rest, test = train_test_split(range(len(y)), test_size=0.25, stratify=digits.target, random_state=13)
    labelled, unlabelled = train_test_split(rest, train_size=100, stratify=digits.target[rest], random_state=13)
    x_lab, y_lab, x_all = x[labelled], y[labelled], x[rest]
    mt = MeanTeacher(make_net())
    for step in range(400):
        rows = torch.randint(len(y_lab), (32,))
        others = torch.randint(len(x_all), (96,))
        loss = mt.step(x_lab[rows], y_lab[rows], x_all[others])
        if step % 100 == 99:
            print(f"step {step + 1}: class loss {loss:.4f}")
    print(f"{len(unlabelled)} rows without label; teacher test accuracy {mt.score(x[test], y[test]):.3f}")


main()
