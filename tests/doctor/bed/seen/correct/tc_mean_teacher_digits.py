# expect: nothing
"""Mean teacher: 150 labelled digits and 900 without labels; the teacher is a moving average of the student."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

LABELLED = 150


def noisy(x, generator, strength=0.1):
    return x + strength * torch.randn(x.shape, generator=generator)


class MeanTeacher:
    def __init__(self, student, decay=0.98, weight=4.0, lr=3e-3):
        self.student = student
        self.teacher = copy.deepcopy(student).requires_grad_(False)
        self.decay, self.weight = decay, weight
        self.optimizer = torch.optim.Adam(self.student.parameters(), lr=lr)
        self.generator = torch.Generator().manual_seed(99)

    @torch.no_grad()
    def follow(self):
        for slow, fast in zip(self.teacher.parameters(), self.student.parameters()):
            slow.lerp_(fast, 1 - self.decay)

    def step(self, x, y, x_free, ramp):
        self.student.train()
        supervised = F.cross_entropy(self.student(noisy(x, self.generator)), y)
        with torch.no_grad():
            wanted = self.teacher(noisy(x_free, self.generator)).softmax(dim=1)
        got = self.student(noisy(x_free, self.generator)).softmax(dim=1)
        loss = supervised + ramp * self.weight * F.mse_loss(got, wanted)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.follow()
        return loss.item()


@torch.no_grad()
def accuracy(net, x, y):
    net.eval()
    return (net(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(99)
    pixels, digits = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16.0, dtype=torch.float32)
    y = torch.tensor(digits)
    rest, test = train_test_split(torch.arange(len(y)), test_size=0.3, stratify=y, random_state=99)
    labelled, free = train_test_split(rest, train_size=LABELLED, stratify=y[rest], random_state=99)

    student = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10))
    trainer = MeanTeacher(student)
    epochs = 25
    for epoch in range(epochs):
        ramp = min(1.0, epoch / 8)
        losses = []
        for rows in torch.randperm(len(free)).split(64):
            pick = torch.randint(LABELLED, (50,))
            losses.append(trainer.step(x[labelled[pick]], y[labelled[pick]], x[free[rows]], ramp))
        if epoch % 6 == 0:
            print(f"epoch {epoch:2d}  loss {sum(losses) / len(losses):.4f}")
    print(f"student {accuracy(trainer.student, x[test], y[test]):.3f}  teacher {accuracy(trainer.teacher, x[test], y[test]):.3f}")


if __name__ == "__main__":
    main()
