# expect: nothing
"""Donor sites, acceptor sites and background in genomic windows: a motif CNN behind a small data module."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

BASES = "ACGT"
KINDS = ("background", "donor", "acceptor")


class WindowSimulator:
    """Windows of 30 bases, from position weight matrices for the two kinds of site."""

    def __init__(self, seed, length=30):
        self.rng = np.random.default_rng(seed)
        self.length = length

    def _plant(self, window, motif, start):
        for offset, base in enumerate(motif):
            if self.rng.random() < 0.92:
                window[start + offset] = BASES.index(base)

    def window(self, kind):
        bases = self.rng.integers(0, 4, size=self.length)
        if kind == "donor":
            self._plant(bases, "CAGGTAAGT", int(self.rng.integers(9, 13)))
        elif kind == "acceptor":
            self._plant(bases, "TTCTTTCCAGG", int(self.rng.integers(8, 12)))
        return bases

    def table(self, per_kind):
        for label, kind in enumerate(KINDS):
            for _ in range(per_kind):
                yield self.window(kind), label


class SpliceDataset(Dataset):
    def __init__(self, rows):
        self.rows = list(rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        bases, label = self.rows[i]
        return nn.functional.one_hot(torch.as_tensor(bases), 4).T.float(), label


class SpliceData:
    def __init__(self, per_kind=320, train_share=0.7, batch_size=32, seed=6):
        self.dataset = SpliceDataset(WindowSimulator(seed).table(per_kind))
        n_train = int(train_share * len(self.dataset))
        order = torch.randperm(len(self.dataset), generator=torch.Generator().manual_seed(seed)).tolist()
        self.train_set = Subset(self.dataset, order[:n_train])
        self.test_set = Subset(self.dataset, order[n_train:])
        self.batch_size = batch_size

    def train_loader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def test_loader(self):
        return DataLoader(self.test_set, batch_size=128)


class MotifCNN(nn.Module):
    def __init__(self, filters=16):
        super().__init__()
        self.scan = nn.Conv1d(4, filters, kernel_size=11, padding=5)
        self.norm = nn.BatchNorm1d(filters)
        self.classify = nn.Linear(filters, len(KINDS))

    def forward(self, x):
        return self.classify(torch.relu(self.norm(self.scan(x))).amax(dim=2))


def evaluate(model, loader):
    model.eval()
    confusion = torch.zeros(len(KINDS), len(KINDS), dtype=torch.long)
    with torch.no_grad():
        for x, y in loader:
            for truth, guess in zip(y, model(x).argmax(dim=1)):
                confusion[truth, guess] += 1
    return confusion


def main():
    torch.manual_seed(6)
    data = SpliceData()
    model = MotifCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(8):
        model.train()
        total, seen = 0.0, 0
        for x, y in data.train_loader():
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, seen = total + loss.item() * len(y), seen + len(y)
        print(f"epoch {epoch}  loss {total / seen:.4f}")
    confusion = evaluate(model, data.test_loader())
    print(confusion)
    print(f"test accuracy {confusion.diag().sum().item() / confusion.sum().item():.3f}")


if __name__ == "__main__":
    main()
