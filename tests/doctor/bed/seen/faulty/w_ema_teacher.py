# expect: missing_eval @ 84
# allowed: missing_eval @ 86
"""Semi-supervised digits: few labels, a mean teacher, and the teacher as the final model."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def get_data(labelled_per_class=20):
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    y = torch.tensor(y)
    idx_train, idx_test = train_test_split(range(len(y)), test_size=0.3, stratify=y.numpy(), random_state=4)
    idx_train = torch.tensor(idx_train)
    labelled = torch.cat([idx_train[y[idx_train] == c][:labelled_per_class] for c in range(10)])
    return x, y, labelled, idx_train, torch.tensor(idx_test)


def make_student():
    return nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 10),
    )


class MeanTeacher:
    def __init__(self, student, decay=0.98):
        self.decay = decay
        self.net = copy.deepcopy(student)
        for p in self.net.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, student, step):
        decay = min(self.decay, step / (step + 1))
        for mine, theirs in zip(self.net.parameters(), student.parameters()):
            mine.lerp_(theirs, 1 - decay)

    @torch.no_grad()
    def __call__(self, x):
        return self.net(x)


def perturb(x):
    return x + 0.1 * torch.randn_like(x)


def consistency_weight(step, ramp=100, top=5.0):
    return top * min(1.0, step / ramp)


@torch.no_grad()
def accuracy(net, x, y):
    return (net(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(4)
    x, y, labelled, pool, test = get_data()
    student = make_student()
    teacher = MeanTeacher(student)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)

    student.train()
    for step in range(1, 301):
        lab = labelled[torch.randint(len(labelled), (40,))]
        unl = pool[torch.randint(len(pool), (120,))]
        supervised = F.cross_entropy(student(perturb(x[lab])), y[lab])
        goal = teacher(perturb(x[unl])).softmax(dim=1)
        drift = (student(perturb(x[unl])).softmax(dim=1) - goal).pow(2).sum(dim=1).mean()
        loss = supervised + consistency_weight(step) * drift
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        teacher.update(student, step)
        if step % 100 == 0:
            print(f"step {step}  supervised {supervised.item():.3f}  consistency {drift.item():.4f}")

    student.eval()
    print(f"student {accuracy(student, x[test], y[test]):.3f}")
    print(f"teacher {accuracy(teacher.net, x[test], y[test]):.3f}")


if __name__ == "__main__":
    main()
