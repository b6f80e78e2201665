# expect: nothing
"""Transfer: a small convolutional net learns drawn textures, is saved, loaded, frozen, and given a new head."""
import os
import tempfile

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SIZE = 16


def textures(kinds, per_kind, seed):
    """Stripes whose angle and spacing depend on the kind."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    images, labels = [], []
    for label, kind in enumerate(kinds):
        angle, freq = np.pi * (kind % 4) / 4, 0.7 + 0.5 * (kind // 4)
        for _ in range(per_kind):
            a = angle + rng.normal(scale=0.08)
            wave = np.sin(freq * (xx * np.cos(a) + yy * np.sin(a)) + rng.uniform(0, 2 * np.pi))
            images.append(wave + 0.5 * rng.normal(size=wave.shape))
            labels.append(label)
    order = rng.permutation(len(labels))
    x = torch.tensor(np.stack(images)[order], dtype=torch.float32).unsqueeze(1)
    return TensorDataset(x, torch.tensor(labels)[order])


def backbone():
    return nn.Sequential(
        nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.BatchNorm2d(12), nn.ReLU(),
        nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )


class Classifier(nn.Module):
    def __init__(self, features, n_classes, freeze=False):
        super().__init__()
        self.features, self.freeze = features, freeze
        self.head = nn.Sequential(nn.Linear(24, n_classes), nn.LogSoftmax(dim=1))
        if freeze:
            self.features.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        if self.freeze:
            self.features.eval()
        return self

    def forward(self, x):
        return self.head(self.features(x))


def fit(model, data, epochs, lr):
    loader = DataLoader(data, batch_size=32, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    criterion = nn.NLLLoss()
    for _ in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
    return total / len(loader)


def accuracy(model, data):
    model.eval()
    x, y = data.tensors
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(13)
    first, second = [0, 1, 4, 6, 7, 9], [2, 3, 5, 8]

    source = Classifier(backbone(), len(first))
    loss = fit(source, textures(first, 80, seed=1), epochs=8, lr=3e-3)
    print(f"source task: loss {loss:.4f}, accuracy {accuracy(source, textures(first, 30, seed=2)):.3f}")

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "backbone.pt")
        torch.save(source.features.state_dict(), path)
        features = backbone()
        features.load_state_dict(torch.load(path, weights_only=True))

    target = Classifier(features, len(second), freeze=True)
    before = {k: v.clone() for k, v in target.features.state_dict().items()}
    loss = fit(target, textures(second, 40, seed=3), epochs=25, lr=1e-2)
    unchanged = all(torch.equal(v, before[k]) for k, v in target.features.state_dict().items())
    print(f"target task: loss {loss:.4f}, accuracy {accuracy(target, textures(second, 60, seed=4)):.3f}")
    print(f"backbone unchanged: {unchanged}")


if __name__ == "__main__":
    main()
