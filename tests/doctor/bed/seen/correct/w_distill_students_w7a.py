# expect: nothing
"""Knowledge distillation on digits: a wide teacher with dropout, a narrow student, softened targets."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def teacher_net():
    return nn.Sequential(
        nn.Linear(64, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def student_net():
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


class HardLoss:
    def __call__(self, logits, x, y):
        return F.cross_entropy(logits, y)


class SoftLoss:
    """A blend of the hard loss and the divergence from the teacher at a raised temperature."""

    def __init__(self, teacher, temperature=2.0, alpha=0.5):
        self.teacher, self.t, self.alpha = teacher, temperature, alpha

    def __call__(self, logits, x, y):
        with torch.no_grad():
            soft = F.softmax(self.teacher(x) / self.t, dim=1)
        divergence = F.kl_div(F.log_softmax(logits / self.t, dim=1), soft, reduction="batchmean")
        return self.alpha * self.t ** 2 * divergence + (1 - self.alpha) * F.cross_entropy(logits, y)


class Learner:
    def __init__(self, net, criterion, lr):
        self.net, self.criterion = net, criterion
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)

    def fit(self, loader, epochs, name):
        for epoch in range(epochs):
            self.net.train()
            total = 0.0
            for x, y in loader:
                loss = self.criterion(self.net(x), x, y)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                total += loss.item() * len(x)
        print(f"{name}: last epoch's loss {total / len(loader.dataset):.4f}")
        self.net.eval()
        return self.net


@torch.inference_mode()
def accuracy(net, x, y):
    net.eval()
    return (net(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(10)
    X, Y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(X / 8.0 - 1.0, Y, test_size=0.3, stratify=Y, random_state=10)
    xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    loader = DataLoader(TensorDataset(xa, ya), batch_size=64, shuffle=True, drop_last=True)

    teacher = Learner(teacher_net(), HardLoss(), lr=2e-3).fit(loader, 10, "teacher")
    teacher.requires_grad_(False)
    plain = Learner(student_net(), HardLoss(), lr=5e-3).fit(loader, 14, "plain student")
    taught = Learner(student_net(), SoftLoss(teacher), lr=5e-3).fit(loader, 14, "taught student")
    for name, net in (("teacher", teacher), ("plain student", plain), ("taught student", taught)):
        print(f"{name}: test accuracy {accuracy(net, xb, yb):.4f}")


if __name__ == "__main__":
    main()
