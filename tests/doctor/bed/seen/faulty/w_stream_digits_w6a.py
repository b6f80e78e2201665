# expect: unshuffled_sorted @ 67
"""Digits read as a stream of records, the way they come from one folder per class on disk."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class DigitFolders:
    """Mimics root/<class>/<file>: records are listed folder by folder."""

    def __init__(self):
        x, y = load_digits(return_X_y=True)
        self.files = {c: (x[y == c] / 16.0).astype(np.float32).reshape(-1, 1, 8, 8) for c in range(10)}

    def listing(self):
        return [(c, i) for c in sorted(self.files) for i in range(len(self.files[c]))]

    def read(self, record):
        c, i = record
        return self.files[c][i], c


def assign(records, share, rng):
    to_test = rng.random(len(records)) < share
    train = [r for r, t in zip(records, to_test) if not t]
    test = [r for r, t in zip(records, to_test) if t]
    return train, test


class Stream(IterableDataset):
    def __init__(self, store, records, shuffle=False, seed=0):
        self.store, self.records, self.shuffle = store, records, shuffle
        self.rng = np.random.default_rng(seed)

    def __iter__(self):
        order = range(len(self.records))
        if self.shuffle:
            order = self.rng.permutation(len(self.records))
        for k in order:
            yield self.store.read(self.records[k])


def conv_net():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(96, 10),
    )


def predict(net, loader):
    net.eval()
    guess, truth = [], []
    with torch.no_grad():
        for x, y in loader:
            guess.append(net(x).argmax(dim=1))
            truth.append(y)
    return torch.cat(guess), torch.cat(truth)


def main():
    torch.manual_seed(17)
    store = DigitFolders()
    train, test = assign(store.listing(), 0.25, np.random.default_rng(17))
    train_loader = DataLoader(Stream(store, train), batch_size=32)
    test_loader = DataLoader(Stream(store, test), batch_size=256)

    net = conv_net()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(1, 9):
        net.train()
        losses = []
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 2 == 0:
            print(f"epoch {epoch}  loss {np.mean(losses):.4f}")
    guess, truth = predict(net, test_loader)
    per_class = [(guess[truth == c] == c).float().mean().item() for c in range(10)]
    print("per class", " ".join(f"{a:.2f}" for a in per_class))
    print(f"test accuracy {(guess == truth).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
