# expect: train_mode_never_restored @ 16
# allowed: train_mode_never_restored @ 17
"""Digits with a regularised net; the validation figure is taken every few steps without disturbing the training."""
import contextlib
import itertools

import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@contextlib.contextmanager
def evaluating(net):
    """Evaluation mode and no gradients inside, the mode from before afterwards."""
    net.eval()
    before = net.training
    try:
        with torch.no_grad():
            yield net
    finally:
        net.train(before)


def stream(x, y, size):
    """Endless batches, reshuffled on every pass."""
    while True:
        for ids in torch.randperm(len(x)).split(size):
            if len(ids) == size:
                yield x[ids], y[ids]


def make_net():
    return nn.Sequential(
        nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(96, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(48, 10),
    )


def share_right(net, x, y):
    with evaluating(net):
        return (net(x).argmax(dim=1) == y).float().mean().item()


def fit(net, train, valid, steps=350, every=50):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=steps)
    criterion = nn.CrossEntropyLoss()
    net.train()
    running = 0.0
    for step, (x, y) in enumerate(itertools.islice(stream(*train, 48), steps), start=1):
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        running += loss.item()
        if step % every == 0:
            print(f"step {step:4d}  loss {running / every:.4f}  valid {share_right(net, *valid):.3f}")
            running = 0.0


def main():
    torch.manual_seed(77)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 8.0 - 1.0, dtype=torch.float32)
    y = torch.tensor(y)
    rows, test = train_test_split(torch.arange(len(y)), test_size=0.25, stratify=y, random_state=7)
    train, valid = train_test_split(rows, test_size=0.2, stratify=y[rows], random_state=7)
    net = make_net()
    fit(net, (x[train], y[train]), (x[valid], y[valid]))
    print(f"test accuracy {share_right(net, x[test], y[test]):.4f}")


if __name__ == "__main__":
    main()
