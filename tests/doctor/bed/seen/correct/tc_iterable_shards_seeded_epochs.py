# expect: nothing
"""Shards of a made-up click log as an IterableDataset: order and noise follow seed and epoch, so a run can be repeated and resumed."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

COLUMNS = 8


def make_shards(count, rows, seed):
    rng = np.random.default_rng(seed)
    shards = []
    for _ in range(count):
        x = rng.normal(size=(rows, COLUMNS)).astype(np.float32)
        score = x[:, 0] * x[:, 1] + x[:, 2] - 0.7 * np.abs(x[:, 3]) + 0.55
        shards.append((x, (score + 0.3 * rng.normal(size=rows) > 0).astype(np.float32)))
    return shards


class ShardStream(IterableDataset):
    def __init__(self, shards, seed=0, training=True, jitter=0.05):
        self.shards, self.seed, self.training, self.jitter = shards, seed, training, jitter
        self.epoch = 0

    def __len__(self):
        return sum(len(y) for _, y in self.shards)

    def __iter__(self):
        if not self.training:
            for x, y in self.shards:
                yield from zip(torch.from_numpy(x), torch.from_numpy(y))
            return
        rng = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        for s in rng.permutation(len(self.shards)):
            x, y = self.shards[s]
            for row in rng.permutation(len(y)):
                noisy = x[row] + self.jitter * rng.normal(size=COLUMNS).astype(np.float32)
                yield torch.from_numpy(noisy.astype(np.float32)), torch.tensor(y[row])


def run(model, stream, optimizer=None):
    training = optimizer is not None
    model.train(training)
    criterion = nn.BCEWithLogitsLoss()
    total, right = 0.0, 0
    with torch.set_grad_enabled(training):
        for x, y in DataLoader(stream, batch_size=64):
            logits = model(x).flatten()
            loss = criterion(logits, y)
            if training:
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            total += loss.item() * len(y)
            right += ((logits > 0) == (y > 0.5)).sum().item()
    return total / len(stream), right / len(stream)


def main():
    torch.manual_seed(71)
    train = ShardStream(make_shards(6, 500, seed=71), seed=71)
    test = ShardStream(make_shards(2, 500, seed=72), training=False)
    model = nn.Sequential(
        nn.Linear(COLUMNS, 48), nn.BatchNorm1d(48), nn.ReLU(),
        nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(48, 1),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(8):
        loss, accuracy = run(model, train, optimizer)
        print(f"epoch {epoch + 1}: loss {loss:.4f} accuracy {accuracy:.3f}")
    print("test: loss {:.4f} accuracy {:.3f}".format(*run(model, test)))


if __name__ == "__main__":
    main()
