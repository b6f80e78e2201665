# expect: nothing
"""Mean teacher on digits with few labels: a student learns from 150 labels and from its own moving average."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)
X, Y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16.0, Y, test_size=0.25, stratify=Y, random_state=11
)
X_lab, X_unl, y_lab, _ = train_test_split(
    X_train, y_train, train_size=150, stratify=y_train, random_state=11
)
X_lab, X_unl, X_test = (torch.tensor(a, dtype=torch.float32) for a in (X_lab, X_unl, X_test))
y_lab, y_test = torch.tensor(y_lab), torch.tensor(y_test)


def make_net():
    return nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.4),
        nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.4),
        nn.Linear(128, 10),
    )


class MeanTeacher:
    def __init__(self, decay=0.98, consistency=8.0, ramp=200):
        self.student = make_net()
        self.teacher = copy.deepcopy(self.student)
        self.teacher.requires_grad_(False)
        self.decay, self.consistency, self.ramp = decay, consistency, ramp
        self.opt = torch.optim.Adam(self.student.parameters(), lr=2e-3)
        self.it = 0

    @torch.no_grad()
    def _update_teacher(self):
        d = min(self.decay, 1 - 1 / (self.it + 1))
        for pt, ps in zip(self.teacher.parameters(), self.student.parameters()):
            pt.mul_(d).add_(ps, alpha=1 - d)

    def step(self, xl, yl, xu):
        self.student.train()
        self.teacher.train()
        noisy = xu + 0.1 * torch.randn_like(xu)
        supervised = F.cross_entropy(self.student(xl), yl)
        with torch.no_grad():
            target = self.teacher(xu).softmax(dim=1)
        agree = F.mse_loss(self.student(noisy).softmax(dim=1), target)
        weight = self.consistency * min(1.0, self.it / self.ramp)
        loss = supervised + weight * agree
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.it += 1
        self._update_teacher()
        return loss.item()

    @torch.no_grad()
    def predict(self, x):
        self.teacher.eval()
        return self.teacher(x).argmax(dim=1)


def main():
    mt = MeanTeacher()
    for epoch in range(18):
        total, n = 0.0, 0
        for idx in torch.randperm(len(X_unl)).split(96):
            pick = torch.randint(len(X_lab), (32,))
            total += mt.step(X_lab[pick], y_lab[pick], X_unl[idx])
            n += 1
        if epoch % 6 == 5:
            print(f"epoch {epoch + 1}: loss {total / n:.4f}")
    acc = (mt.predict(X_test) == y_test).float().mean().item()
    print(f"teacher accuracy on {len(X_test)} test digits: {acc:.4f}")


if __name__ == "__main__":
    main()
