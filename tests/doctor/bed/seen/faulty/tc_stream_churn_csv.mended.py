# expect: nothing
"""Customer churn from a stream of text lines: an IterableDataset with a shuffle buffer, so the file need not fit in memory."""
import io
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


def write_lines(n, seed):
    """Made-up export of the billing system: five columns and +1 (left) or -1 (stayed)."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 5))
    score = 1.6 * rows[:, 0] - 1.2 * rows[:, 1] + rows[:, 2] * rows[:, 3]
    left = np.where(score + 0.4 * rng.normal(size=n) > 0, 1, -1)
    out = io.StringIO()
    for row, flag in zip(rows, left):
        out.write(",".join(f"{v:.5f}" for v in row) + f",{flag:+d}\n")
    return out.getvalue()


def parse(line):
    *values, flag = line.strip().split(",")
    target = 1.0 if float(flag) > 0 else 0.0
    return torch.tensor([float(v) for v in values]), torch.tensor(target)


class LineStream(IterableDataset):
    def __init__(self, text, buffer_size=0, seed=0):
        self.text = text
        self.buffer_size = buffer_size
        self.random = random.Random(seed)

    def __iter__(self):
        if not self.buffer_size:
            yield from map(parse, io.StringIO(self.text))
            return
        buffer = []
        for line in io.StringIO(self.text):
            buffer.append(parse(line))
            if len(buffer) >= self.buffer_size:
                yield buffer.pop(self.random.randrange(len(buffer)))
        self.random.shuffle(buffer)
        yield from buffer


def train(model, stream, epochs, lr):
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        total, seen = 0.0, 0
        for x, y in DataLoader(stream, batch_size=64):
            loss = criterion(model(x).squeeze(-1), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            seen += len(y)
        print(f"epoch {epoch + 1}  {seen} lines  loss {total / seen:.4f}")


@torch.no_grad()
def accuracy(model, stream):
    right = seen = 0
    for x, y in DataLoader(stream, batch_size=256):
        right += ((model(x).squeeze(-1) > 0) == (y > 0)).sum().item()
        seen += len(y)
    return right / seen


if __name__ == "__main__":
    torch.manual_seed(31)
    train_stream = LineStream(write_lines(3000, seed=1), buffer_size=500, seed=31)
    test_stream = LineStream(write_lines(800, seed=2))
    net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    train(net, train_stream, epochs=6, lr=3e-3)
    net.eval()
    print(f"test accuracy {accuracy(net, test_stream):.3f}")
