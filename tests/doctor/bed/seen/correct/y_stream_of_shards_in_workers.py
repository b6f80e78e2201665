# expect: nothing
# looks suspicious: shards are read in order by an IterableDataset, shuffle stays off and the worker's rows
# differ in number: two workers share the shards, a buffer mixes the rows within each.
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

CENTRES = torch.tensor([[0.0, 2.0], [2.0, 0.0], [-2.0, 0.0]])


def read_shard(number, rows=150):
    g = torch.Generator().manual_seed(100 + number)
    labels = torch.randint(0, 3, (rows,), generator=g)
    points = CENTRES[labels] + 0.7 * torch.randn(rows, 2, generator=g)
    yield from zip(points, labels, strict=True)


class Shards(IterableDataset):
    def __init__(self, numbers, buffer):
        self.numbers, self.buffer = numbers, buffer

    def __iter__(self):
        info = get_worker_info()
        mine = self.numbers if info is None else self.numbers[info.id :: info.num_workers]
        rng = random.Random(torch.initial_seed())
        held = []
        for number in mine:
            for row in read_shard(number):
                if len(held) < self.buffer:
                    held.append(row)
                else:
                    k = rng.randrange(self.buffer)
                    yield held[k]
                    held[k] = row
        rng.shuffle(held)
        yield from held


def main():
    torch.manual_seed(0)
    loader = DataLoader(Shards(list(range(5)), buffer=100), batch_size=50, num_workers=2)
    test_x, test_y = zip(*read_shard(77, 300), strict=True)
    test_x, test_y = torch.stack(test_x), torch.stack(test_y)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(4):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(test_x).argmax(1) == test_y).float().mean()
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
