# expect: nothing
"""Digits stored one folder per class: write them to disk, read them back, train a small network."""
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler


def export(root: Path, test_share=0.25):
    digits = load_digits()
    rng = np.random.default_rng(0)
    for c in range(10):
        rows = rng.permutation(np.flatnonzero(digits.target == c))
        cut = int(len(rows) * test_share)
        for split, part in (("test", rows[:cut]), ("train", rows[cut:])):
            folder = root / split / str(c)
            folder.mkdir(parents=True)
            np.save(folder / "scans.npy", digits.images[part].astype(np.uint8))


class ScanFolder(Dataset):
    def __init__(self, root: Path):
        self.scans, self.targets = [], []
        for folder in sorted(root.iterdir()):
            for scan in np.load(folder / "scans.npy"):
                self.scans.append(torch.from_numpy(scan).float().unsqueeze(0) / 16)
                self.targets.append(int(folder.name))

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        if isinstance(index, list):
            return torch.stack([self.scans[i] for i in index]), torch.tensor([self.targets[i] for i in index])
        return self.scans[index], self.targets[index]


def batched(dataset, sampler, size):
    return DataLoader(dataset, sampler=BatchSampler(sampler, size, drop_last=False), batch_size=None)


def make_net():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(12 * 16, 48), nn.ReLU(), nn.Linear(48, 10),
    )


def accuracy(net, loader):
    net.eval()
    with torch.no_grad():
        hits = torch.cat([net(x).argmax(1) == y for x, y in loader])
    return hits.float().mean().item()


def main():
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as tmp:
        export(Path(tmp))
        train_set, test_set = ScanFolder(Path(tmp) / "train"), ScanFolder(Path(tmp) / "test")
    train_dl = batched(train_set, RandomSampler(train_set), 32)
    test_dl = batched(test_set, SequentialSampler(test_set), 200)
    net = make_net()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(8):
        net.train()
        losses = []
        for x, y in train_dl:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} mean loss {np.mean(losses):.3f}")
    print(f"test accuracy {accuracy(net, test_dl):.3f}")


main()
