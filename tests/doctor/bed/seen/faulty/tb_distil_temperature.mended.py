# expect: nothing
"""Knowledge distillation on digits: a wide teacher, narrow students at several temperatures, the best one reported."""
from collections import namedtuple

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

Part = namedtuple("Part", "x y")


def parts(seed):
    d = load_digits()
    x, y = torch.tensor(d.data / 8.0 - 1.0, dtype=torch.float32), torch.tensor(d.target)
    rest, test = train_test_split(range(len(y)), test_size=0.3, stratify=d.target, random_state=seed)
    train, val = train_test_split(rest, test_size=0.25, stratify=d.target[rest], random_state=seed)
    return [Part(x[rows], y[rows]) for rows in (train, val, test)]


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def optimise(net, part, loss_of, epochs, lr, batch=64):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        net.train()
        for rows in torch.randperm(len(part.y)).split(batch):
            optimizer.zero_grad()
            loss_of(net(part.x[rows]), rows).backward()
            optimizer.step()
    return net


@torch.no_grad()
def accuracy(net, part):
    net.eval()
    return (net(part.x).argmax(1) == part.y).float().mean().item()


def distil(teacher, part, temperature, alpha=0.7):
    teacher.eval()
    with torch.no_grad():
        soft = F.softmax(teacher(part.x) / temperature, dim=1)

    def loss_of(logits, rows):
        kd = F.kl_div(F.log_softmax(logits / temperature, dim=1), soft[rows], reduction="batchmean")
        return alpha * temperature ** 2 * kd + (1 - alpha) * F.cross_entropy(logits, part.y[rows])

    return optimise(mlp(64, 12, 10), part, loss_of, epochs=20, lr=4e-3)


def main():
    torch.manual_seed(19)
    train, val, test = parts(seed=19)
    teacher = mlp(64, 256, 10)
    optimise(teacher, train, lambda out, rows: F.cross_entropy(out, train.y[rows]), epochs=15, lr=2e-3)
    print(f"teacher: validation {accuracy(teacher, val):.3f}")

    best = None
    for temperature in (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0):
        student = distil(teacher, train, temperature)
        score = accuracy(student, val)
        print(f"T={temperature:<4} score {score:.4f}")
        if best is None or score > best[0]:
            best = (score, temperature, student)

    _, temperature, student = best
    print(f"student at T={temperature}: test accuracy {accuracy(student, test):.4f}")


if __name__ == "__main__":
    main()
