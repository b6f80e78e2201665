# expect: class_imbalance @ 39
# allowed: class_imbalance @ 38
# allowed: class_imbalance @ 40
# allowed: class_imbalance @ 41
# allowed: class_imbalance @ 71
"""Early warning for a pump: rare leaks among normal minutes, with a weighted sampler over the rows."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler


class PumpPlant:
    """Six sensors of a pump; a leak (4 % of the minutes) moves three of them a little."""

    NAMES = ("pressure", "flow", "current", "temperature", "vibration", "level")

    def __init__(self, seed, leak_rate=0.04):
        self.rng = np.random.default_rng(seed)
        self.leak_rate = leak_rate

    def minutes(self, n):
        leak = np.zeros(n, dtype=np.int64)
        leak[: int(round(n * self.leak_rate))] = 1
        leak = self.rng.permutation(leak)
        latent = self.rng.normal(size=(n, 2))
        x = self.rng.normal(size=(n, 6))
        x[:, :2] += 0.5 * latent[:, :1]
        x[:, 2:4] += 0.5 * latent[:, 1:]
        x[leak == 1] += np.array([-1.0, 0.9, 0.0, 0.0, 0.8, 0.0])
        physical = x * np.array([0.4, 3.0, 1.5, 6.0, 0.2, 12.0]) + np.array([6.0, 40.0, 18.0, 55.0, 1.1, 70.0])
        return physical.astype(np.float32), leak


def balanced_loader(x, y, batch_size):
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    counts = torch.bincount(dataset.tensors[1])
    share = counts.double() / counts.sum()
    row_weights = share[dataset.tensors[1]]
    sampler = WeightedRandomSampler(row_weights, num_samples=len(dataset), replacement=True)
    return DataLoader(dataset, batch_size=batch_size, sampler=sampler)


class LeakDetector(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.layers(x)


def class_report(y, guess):
    lines = []
    for label, name in enumerate(("normal", "leak")):
        hit = ((guess == label) & (y == label)).sum().item()
        lines.append((name, hit / (y == label).sum().item(), int((guess == label).sum())))
    return lines


def main():
    torch.manual_seed(12)
    plant = PumpPlant(seed=12)
    (x_train, y_train), (x_test, y_test) = plant.minutes(3000), plant.minutes(2000)
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    x_train, x_test = (x_train - mean) / std, (x_test - mean) / std

    loader = balanced_loader(x_train, y_train, batch_size=64)
    model = LeakDetector()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(10):
        model.train()
        total, seen = 0.0, 0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total, seen = total + loss.item() * len(yb), seen + len(yb)
        print(f"epoch {epoch}  loss {total / seen:.4f}")

    model.eval()
    with torch.no_grad():
        guess = model(torch.from_numpy(x_test)).argmax(dim=1)
    report = class_report(torch.from_numpy(y_test), guess)
    for name, recall, named in report:
        print(f"{name:>7}: recall {recall:.3f}, named {named} times")
    print(f"balanced accuracy {np.mean([recall for _, recall, _ in report]):.3f}")


if __name__ == "__main__":
    main()
