# expect: nothing
"""Benign or malignant: a small net fed by an epoch-aware sampler, as in multi-process training but with one worker."""
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset, Sampler


class Cells(Dataset):
    def __init__(self, x, y):
        self.x = torch.as_tensor(x, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class EpochSampler(Sampler):
    """Shuffles with an order that every worker can work out for itself; takes this worker's share."""

    def __init__(self, data, rank=0, world=1, seed=0):
        self.n, self.rank, self.world, self.seed = len(data), rank, world, seed
        self.epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.n // self.world

    def __iter__(self):
        source = torch.Generator()
        source.manual_seed(self.seed + self.epoch)
        order = torch.randperm(self.n, generator=source).tolist()
        return iter(order[self.rank:len(self) * self.world:self.world])


def train_epoch(net, loader, optimizer, criterion):
    net.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(net(x).squeeze(-1), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(loader.sampler)


@torch.no_grad()
def evaluate(net, loader):
    net.eval()
    hits = sum(((net(x).squeeze(-1) > 0) == (y > 0.5)).sum().item() for x, y in loader)
    return hits / len(loader.dataset)


def main():
    torch.manual_seed(2)
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=2)
    scale = StandardScaler().fit(x_train)
    train_set, test_set = Cells(scale.transform(x_train), y_train), Cells(scale.transform(x_test), y_test)
    sampler = EpochSampler(train_set, seed=40)
    train_loader = DataLoader(train_set, batch_size=16, sampler=sampler)
    test_loader = DataLoader(test_set, batch_size=128)

    net = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(15):
        sampler.set_epoch(epoch)
        loss = train_epoch(net, train_loader, optimizer, criterion)
        print(f"epoch {epoch:2d}  loss {loss:.4f}")
    print(f"test accuracy {evaluate(net, test_loader):.4f}")


if __name__ == "__main__":
    main()
