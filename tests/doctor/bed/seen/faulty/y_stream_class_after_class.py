# expect: unshuffled_sorted @ 22
# allowed: unshuffled_sorted @ 27
# allowed: unshuffled_sorted @ 35
"""A stream of rows from one file per class, read to the end one after the other."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

torch.manual_seed(0)
digits = load_digits()
x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
files = [torch.nonzero(y == c).flatten().tolist() for c in range(10)]


class Stream(IterableDataset):
    def __init__(self, files):
        self.files = files

    def __iter__(self):
        for rows in self.files:
            for row in rows:
                yield x[row], y[row]


train_loader = DataLoader(Stream([f[:140] for f in files]), batch_size=35)
test_rows = [row for f in files for row in f[140:]]

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(4):
    model.train()
    losses = []
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        accuracy = (model(x[test_rows]).argmax(1) == y[test_rows]).float().mean().item()
    print(f"epoch {epoch} mean {sum(losses) / len(losses):.3f} last {losses[-1]:.3f} accuracy {accuracy:.3f}")
