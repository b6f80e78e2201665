# expect: nothing
"""Knowledge distillation on 8x8 digits: big teacher -> tiny student."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

OPTIM = {
    "teacher": dict(cls=torch.optim.Adam, lr=2e-3, weight_decay=1e-5),
    "student": dict(cls=torch.optim.Adam, lr=8e-3),
}
TEMPERATURE = 3.0
ALPHA = 0.7


def mlp(*sizes, drop=0.0):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(drop)]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers)


def make_optimizer(who, net):
    spec = dict(OPTIM[who])
    cls = spec.pop("cls")
    return cls(net.parameters(), **spec)


def iterate(x, y, size, gen):
    for idx in torch.randperm(len(x), generator=gen).split(size):
        yield x[idx], y[idx]


def hard_loss(net):
    return lambda x, y: F.cross_entropy(net(x), y)


def kd_loss(student, teacher):
    def compute(x, y):
        with torch.no_grad():
            soft = F.softmax(teacher(x) / TEMPERATURE, dim=1)
        logits = student(x)
        kd = F.kl_div(F.log_softmax(logits / TEMPERATURE, dim=1), soft, reduction="batchmean")
        return ALPHA * TEMPERATURE ** 2 * kd + (1 - ALPHA) * F.cross_entropy(logits, y)
    return compute


def fit(tag, net, loss_fn, x, y, epochs, seed):
    gen = torch.Generator().manual_seed(seed)
    opt = make_optimizer(tag, net)
    for ep in range(epochs):
        net.train()
        losses = []
        for xb, yb in iterate(x, y, 64, gen):
            opt.zero_grad()
            loss = loss_fn(xb, yb)
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"{tag} {ep:02d} loss={np.mean(losses):.4f}")
    return net


@torch.no_grad()
def accuracy(net, x, y):
    net.eval()
    return (net(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(21)
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.3, stratify=y, random_state=21)
    X_tr, X_te = (torch.tensor(a, dtype=torch.float32) for a in (X_tr, X_te))
    y_tr, y_te = (torch.tensor(a, dtype=torch.long) for a in (y_tr, y_te))

    teacher = mlp(64, 128, 128, 10, drop=0.2)
    fit("teacher", teacher, hard_loss(teacher), X_tr, y_tr, epochs=12, seed=1)
    teacher.eval().requires_grad_(False)

    student = mlp(64, 16, 10)
    fit("student", student, kd_loss(student, teacher), X_tr, y_tr, epochs=12, seed=2)

    n = sum(p.numel() for p in student.parameters())
    print(f"teacher accuracy {accuracy(teacher, X_te, y_te):.3f}")
    print(f"student accuracy {accuracy(student, X_te, y_te):.3f} with {n} parameters")


if __name__ == "__main__":
    main()
