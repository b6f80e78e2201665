# expect: nothing
"""Order lines of customers, of unequal length; batches are dictionaries, the longest customer first."""

from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset


class Customers(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.returns = rng.random(n) < 0.5
        self.lines = [
            np.stack([rng.normal(0.8 if r else -0.8, 1.0, k), rng.exponential(1.0, k)], axis=1)
            for r, k in zip(self.returns, rng.integers(3, 20, n))
        ]

    def __len__(self):
        return len(self.lines)

    def __getitem__(self, i):
        return {"lines": torch.tensor(self.lines[i], dtype=torch.float32), "returns": float(self.returns[i])}


def together(items, pad):
    counts = np.array([len(item["lines"]) for item in items])
    longest_first = np.argsort(-counts)
    lines = [items[i]["lines"] for i in longest_first]
    batch = {"lines": pad_sequence(lines, batch_first=True, padding_value=pad)}
    batch["counts"] = torch.tensor(counts[longest_first])
    returns = torch.tensor([items[i]["returns"] for i in longest_first])
    return {"lines": batch["lines"], "counts": batch["counts"], "returns": returns}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 16, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, lines, counts):
        _, last = self.gru(pack_padded_sequence(lines, counts, batch_first=True))
        return self.out(last[-1]).squeeze(1)


torch.manual_seed(0)
collate = partial(together, pad=0.0)
train = DataLoader(Customers(640, 1), batch_size=32, shuffle=True, collate_fn=collate)
test = DataLoader(Customers(200, 2), batch_size=100, collate_fn=collate)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(8):
    for batch in train:
        loss = criterion(net(batch["lines"], batch["counts"]), batch["returns"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.3f}")
net.eval()
with torch.no_grad():
    right = sum(((net(b["lines"], b["counts"]) > 0) == (b["returns"] > 0.5)).sum().item() for b in test)
print(f"test accuracy {right / 200:.3f}")
