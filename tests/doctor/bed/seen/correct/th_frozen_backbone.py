# expect: nothing
"""Transfer learning tutorial in miniature: pretrain on digits 0-4, freeze the features, new head for digits 5-9."""
import copy
import os
import tempfile

import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class SmallNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2))
        self.fc = nn.Linear(24 * 16, classes)
        self.frozen = False

    def freeze(self):
        self.frozen = True
        for p in self.features.parameters():
            p.requires_grad = False

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    def forward(self, x):
        return self.fc(self.features(x))


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(1) == y).float().mean().item()


def train_model(model, optimizer, parts, epochs, path):
    """Keeps the weights of the epoch that is best on the validation part."""
    (x, y), (x_val, y_val), _ = parts
    best = -1.0
    for epoch in range(epochs):
        model.train()
        running = 0.0
        for idx in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            running += loss.item() * len(idx)
        val = accuracy(model, x_val, y_val)
        print(f"  epoch {epoch}: loss {running / len(x):.4f} val {val:.4f}")
        if val > best:
            best = val
            torch.save(copy.deepcopy(model.state_dict()), path)
    model.load_state_dict(torch.load(path))
    return model


def three_parts(x, y, sizes):
    perm = torch.randperm(len(x))
    return [(x[i], y[i]) for i in perm.split([sizes[0], sizes[1], len(x) - sum(sizes)])]


def main():
    torch.manual_seed(77)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(digits.target)
    old, new = y < 5, y >= 5
    source = three_parts(x[old], y[old], (600, 150))
    target = three_parts(x[new], y[new] - 5, (400, 150))

    with tempfile.TemporaryDirectory() as folder:
        print("source task")
        model = SmallNet(5)
        model = train_model(model, torch.optim.Adam(model.parameters(), lr=2e-3), source, 4,
                            os.path.join(folder, "source.pt"))
        print(f"source test accuracy {accuracy(model, *source[2]):.4f}")

        print("target task, features frozen")
        model.freeze()
        model.fc = nn.Linear(model.fc.in_features, 5)
        before = [p.clone() for p in model.features.parameters()]
        model = train_model(model, torch.optim.Adam(model.fc.parameters(), lr=3e-3), target, 5,
                            os.path.join(folder, "target.pt"))
        assert all(torch.equal(a, b) for a, b in zip(before, model.features.parameters()))
        print(f"target test accuracy {accuracy(model, *target[2]):.4f}")


if __name__ == "__main__":
    main()
