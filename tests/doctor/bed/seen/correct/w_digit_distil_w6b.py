# expect: nothing
"""Distils a wide digit classifier into a narrow one; the share of hard and soft targets is chosen on validation rows."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

TEMPERATURE = 2.0


def digit_parts(seed):
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    y = torch.tensor(y)
    rest, test = train_test_split(torch.arange(len(y)), test_size=0.25, stratify=y, random_state=seed)
    train, valid = train_test_split(rest, test_size=0.25, stratify=y[rest], random_state=seed)
    mean = x[train].mean(dim=0)
    return [TensorDataset(x[rows] - mean, y[rows]) for rows in (train, valid, test)]


def mlp(width, dropout):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout),
                         nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))


def hard(net, x, y):
    return F.cross_entropy(net(x), y)


def soft(teacher, share):
    teacher.eval()
    for p in teacher.parameters():
        p.requires_grad_(False)

    def loss(net, x, y):
        logits = net(x)
        with torch.no_grad():
            goal = F.softmax(teacher(x) / TEMPERATURE, dim=-1)
        own = F.log_softmax(logits / TEMPERATURE, dim=-1)
        softened = F.kl_div(own, goal, reduction="batchmean") * TEMPERATURE ** 2
        return share * softened + (1 - share) * F.cross_entropy(logits, y)

    return loss


def fit(net, data, objective, epochs, lr=5e-3):
    x, y = data.tensors
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for _ in range(epochs):
        net.train()
        for ids in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            objective(net, x[ids], y[ids]).backward()
            optimizer.step()
        schedule.step()
    return net


@torch.no_grad()
def accuracy(net, data):
    net.eval()
    x, y = data.tensors
    return (net(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(99)
    train, valid, test = digit_parts(seed=99)
    teacher = fit(mlp(128, 0.2), train, hard, epochs=22)
    print(f"teacher: validation {accuracy(teacher, valid):.3f}")
    plain = fit(mlp(20, 0.0), train, hard, epochs=22)
    best, student = -1.0, None
    for share in (0.5, 0.9):
        candidate = fit(mlp(20, 0.0), train, soft(teacher, share), epochs=22)
        value = accuracy(candidate, valid)
        print(f"share of soft targets {share}: validation {value:.3f}")
        if value > best:
            best, student = value, candidate
    for name, net in (("teacher", teacher), ("plain", plain), ("distilled", student)):
        print(f"test accuracy of {name:9s} {accuracy(net, test):.3f}")


if __name__ == "__main__":
    main()
