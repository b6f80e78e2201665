# expect: nothing
"""Streams made-up spectra from per-material shards into a 1-D CNN, as one would read them from disk."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, IterableDataset

MATERIALS = ["quartz", "calcite", "gypsum", "halite", "talc"]
PEAKS = {"quartz": (10, 31), "calcite": (14, 40), "gypsum": (10, 44), "halite": (22, 31), "talc": (14, 50)}
GRID = np.arange(64)


def measure(material, n, rng):
    spectra = np.zeros((n, 64))
    for centre in PEAKS[material]:
        mid = centre + rng.normal(0, 1.5, (n, 1))
        height = rng.uniform(0.5, 1.2, (n, 1))
        spectra += height * np.exp(-0.5 * ((GRID - mid) / 2.0) ** 2)
    return (spectra + 0.15 * rng.standard_normal((n, 64))).astype(np.float32)


def build_shards(n_per_material, rng, shard_size=20):
    shards = []
    for label, name in enumerate(MATERIALS):
        rows = measure(name, n_per_material, rng)
        for start in range(0, n_per_material, shard_size):
            shards.append((rows[start:start + shard_size], label))
    return shards


class ShardStream(IterableDataset):
    """Reads the shards, mixing rows in a buffer on the way."""

    def __init__(self, shards, buffer_size=0, seed=0):
        self.shards, self.buffer_size = shards, buffer_size
        self.rng = np.random.default_rng(seed)

    def rows(self):
        order = np.arange(len(self.shards))
        if self.buffer_size:
            self.rng.shuffle(order)
        for k in order:
            spectra, label = self.shards[k]
            for row in spectra:
                yield torch.from_numpy(row)[None], label

    def __iter__(self):
        buffer = []
        for item in self.rows():
            if len(buffer) < self.buffer_size:
                buffer.append(item)
            elif self.buffer_size:
                j = int(self.rng.integers(len(buffer)))
                item, buffer[j] = buffer[j], item
                yield item
            else:
                yield item
        for j in self.rng.permutation(len(buffer)):
            yield buffer[j]


def conv_net():
    return nn.Sequential(
        nn.Conv1d(1, 8, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
        nn.Flatten(), nn.Linear(16 * 16, len(MATERIALS)),
    )


def evaluate(net, loader):
    net.eval()
    right, count = np.zeros(len(MATERIALS)), np.zeros(len(MATERIALS))
    with torch.no_grad():
        for x, y in loader:
            hit = (net(x).argmax(dim=1) == y).numpy()
            np.add.at(right, y.numpy(), hit)
            np.add.at(count, y.numpy(), 1)
    return right / count


if __name__ == "__main__":
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    train = DataLoader(ShardStream(build_shards(400, rng), buffer_size=160), batch_size=20)
    test = DataLoader(ShardStream(build_shards(80, rng)), batch_size=100)
    net = conv_net()
    opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(4):
        net.train()
        for x, y in train:
            loss = nn.functional.cross_entropy(net(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
    recall = evaluate(net, test)
    for name, value in zip(MATERIALS, recall):
        print(f"{name:8s} recall {value:.3f}")
    print(f"mean recall {recall.mean():.4f}")
