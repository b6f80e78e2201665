# expect: lr_too_low @ 34
# allowed: lr_too_low @ 60
# mend: 34 →     stepper = torch.optim.SGD(params, lr=rate, momentum=0.9)
"""Digits with plain tensors: two weight matrices, two offsets, one optimiser, no modules."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits


def glorot(fan_in, fan_out, generator):
    limit = (6.0 / (fan_in + fan_out)) ** 0.5
    w = (2 * torch.rand(fan_in, fan_out, generator=generator) - 1) * limit
    return w.requires_grad_()


def digits(generator):
    raw = load_digits()
    order = torch.randperm(len(raw.target), generator=generator)
    x = torch.tensor(raw.data, dtype=torch.float32)[order] / 16
    y = torch.tensor(raw.target)[order]
    held = len(y) // 4
    centre = x[held:].mean()
    x = (x - centre) / x[held:].std()
    return (x[held:], y[held:]), (x[:held], y[:held])


def forward(params, x):
    w1, b1, w2, b2 = params
    return torch.tanh(x @ w1 + b1) @ w2 + b2


def descend(params, rows, rate, passes, size, generator):
    x, y = rows
    stepper = torch.optim.SGD(params, lr=rate / len(x), momentum=0.9)
    for p in range(passes):
        seen = 0.0
        for ids in torch.randperm(len(x), generator=generator).split(size):
            loss = F.cross_entropy(forward(params, x[ids]), y[ids], reduction="sum") / len(ids)
            stepper.zero_grad()
            loss.backward()
            stepper.step()
            seen += loss.item() * len(ids)
        yield p, seen / len(x)


def confusion(params, rows):
    x, y = rows
    with torch.no_grad():
        guess = forward(params, x).argmax(dim=1)
    table = torch.zeros(10, 10, dtype=torch.long)
    table.index_put_((y, guess), torch.ones_like(y), accumulate=True)
    return table


if __name__ == "__main__":
    generator = torch.Generator().manual_seed(2024)
    train, test = digits(generator)
    params = [glorot(64, 40, generator), torch.zeros(40, requires_grad=True),
              glorot(40, 10, generator), torch.zeros(10, requires_grad=True)]
    for p, loss in descend(params, train, rate=0.05, passes=16, size=32, generator=generator):
        if p % 4 == 3:
            print(f"pass {p + 1:2d}  loss {loss:.4f}")
    table = confusion(params, test)
    print(table)
    print(f"test accuracy {table.diag().sum().item() / table.sum().item():.3f}")
