# expect: nothing
# looks suspicious: an IterableDataset cannot be shuffled by the loader and its source is sorted by label: a
# buffer within the stream shuffles, and each worker reads its own share.
import random

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(y))
train, test = perm[:1500], perm[1500:]
train = train[y[train].argsort()]


class Stream(IterableDataset):
    def __init__(self, rows, buffer):
        self.rows, self.buffer = rows.tolist(), buffer

    def __iter__(self):
        info = get_worker_info()
        rows = self.rows if info is None else self.rows[info.id :: info.num_workers]
        rng = random.Random(torch.initial_seed() if info is None else info.seed)
        pool = []
        for i in rows:
            pool.append(i)
            if len(pool) == self.buffer:
                j = pool.pop(rng.randrange(len(pool)))
                yield x[j], y[j]
        rng.shuffle(pool)
        for j in pool:
            yield x[j], y[j]


loader = DataLoader(Stream(train, buffer=1400), batch_size=50)
model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(5):
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
model.eval()
with torch.no_grad():
    print("accuracy", (model(x[test]).argmax(1) == y[test]).float().mean().item())
