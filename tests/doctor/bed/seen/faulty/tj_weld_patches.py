# expect: class_imbalance @ 38
# allowed: class_imbalance @ 39
# allowed: class_imbalance @ 40
# allowed: class_imbalance @ 75
"""Weld inspection on 12x12 patches: fine, pore or crack. Cracks are few, so batches are drawn with weights."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

NAMES = ("fine", "pore", "crack")


def patch(kind, rng, size=12):
    img = 0.3 * rng.standard_normal((size, size))
    r, c = rng.integers(3, size - 3, 2)
    if kind == 1:
        img[r - 1:r + 2, c - 1:c + 2] -= 0.9
    elif kind == 2:
        for k in range(-3, 3):
            img[r + k, min(max(c + k // 2 + rng.integers(0, 2), 0), size - 1)] -= 0.9
    return img


def build_data(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(3, size=n, p=(0.72, 0.22, 0.06))
    images = np.stack([patch(k, rng) for k in kinds])[:, None]
    return train_test_split(torch.tensor(images, dtype=torch.float32), torch.tensor(kinds),
                            test_size=0.35, stratify=kinds, random_state=seed)


def weighted_loader(x, y, batch_size):
    counts = torch.bincount(y).double()
    per_class = counts / counts.sum()
    sampler = WeightedRandomSampler(per_class[y], num_samples=len(y), replacement=True)
    return DataLoader(TensorDataset(x, y), batch_size=batch_size, sampler=sampler)


class PatchNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5, padding=2)
        self.conv2 = nn.Conv2d(10, 16, 3, padding=1)
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x)).amax(dim=(2, 3))
        return self.out(x)


def train(model, loader, epochs=10, lr=6e-3):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1}: loss {total / len(loader.dataset):.4f}")


def main():
    torch.manual_seed(0)
    x_train, x_test, y_train, y_test = build_data()
    model = PatchNet()
    train(model, weighted_loader(x_train, y_train, batch_size=52))

    model.eval()
    with torch.no_grad():
        predicted = model(x_test).argmax(dim=1)
    for name, recall in zip(NAMES, recall_score(y_test, predicted, average=None)):
        print(f"recall of {name}: {recall:.2f}")
    print(f"balanced accuracy: {balanced_accuracy_score(y_test, predicted):.3f}")


if __name__ == "__main__":
    main()
