"""Rows are read from a file as they are needed; the file stays open for the whole training."""

import itertools

import torch

torch.manual_seed(16)
with open("rows.txt", "w") as file:
    for row in torch.randn(400, 3).tolist():
        print(*row, sum(row), file=file)


def rows(path):
    while True:
        with open(path) as file:
            for line in file:
                yield [float(word) for word in line.split()]


def batches(stream, size):
    while batch := list(itertools.islice(stream, size)):
        yield torch.tensor(batch)


model = torch.nn.Linear(3, 1)
optimizer = torch.optim.ASGD(model.parameters(), lr=0.05)
for number, batch in zip(range(60), batches(rows("rows.txt"), 10), strict=False):
    loss = (model(batch[:, :3]).squeeze(1) - batch[:, 3]).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(number, loss.item(), batch[0, 0].item(), flush=number % 7 == 0)
