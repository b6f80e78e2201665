# expect: nothing
"""Pretrain a convnet on the digits 0-5, keep it in a checkpoint, then train a new head on 6-9 with the backbone frozen."""
import os
import tempfile

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
        )

    def forward(self, x):
        return self.layers(x)


class Classifier(nn.Module):
    def __init__(self, backbone, n_classes, frozen=False):
        super().__init__()
        self.backbone, self.frozen = backbone, frozen
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(32 * 16, n_classes))
        if frozen:
            for p in self.backbone.parameters():
                p.requires_grad = False

    def train(self, mode=True):
        """The statistics of a frozen backbone stay as they were learned."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, x):
        return self.head(self.backbone(x))


def digits(wanted, seed):
    x, y = load_digits(return_X_y=True)
    keep = (y >= wanted[0]) & (y <= wanted[1])
    x = torch.tensor(x[keep] / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)
    y = torch.tensor(y[keep] - wanted[0])
    train, test = train_test_split(torch.arange(len(y)), test_size=0.25, stratify=y, random_state=seed)
    return TensorDataset(x[train], y[train]), TensorDataset(x[test], y[test])


def fit(model, data, epochs, lr):
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=lr)
    loader = DataLoader(data, batch_size=32, shuffle=True, drop_last=True)
    for _ in range(epochs):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()


@torch.no_grad()
def accuracy(model, data):
    model.eval()
    x, y = data.tensors
    return (model(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(44)
    train, test = digits((0, 5), seed=44)
    first = Classifier(Backbone(), 6)
    fit(first, train, epochs=5, lr=2e-3)
    print(f"digits 0-5: {accuracy(first, test):.3f}")

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "backbone.pt")
        torch.save(first.backbone.state_dict(), path)
        backbone = Backbone()
        backbone.load_state_dict(torch.load(path, weights_only=True))

    train, test = digits((6, 9), seed=45)
    second = Classifier(backbone, 4, frozen=True)
    before = [p.clone() for p in second.backbone.parameters()]
    fit(second, train, epochs=6, lr=3e-3)
    same = all(torch.equal(a, b) for a, b in zip(before, second.backbone.parameters()))
    print(f"digits 6-9: {accuracy(second, test):.3f}, backbone untouched: {same}")


if __name__ == "__main__":
    main()
