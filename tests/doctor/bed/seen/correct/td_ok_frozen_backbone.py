# expect: nothing
"""Fine-tuning in the usual manner: a convolutional backbone with batch norm is kept frozen (and in eval mode), only the new head learns."""
import os
import tempfile

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def backbone():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
    )


class Classifier(nn.Module):
    def __init__(self, body, n_classes, freeze=False):
        super().__init__()
        self.body, self.head = body, nn.Linear(32 * 16, n_classes)
        self.freeze = freeze
        if freeze:
            self.body.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        if self.freeze:
            self.body.eval()
        return self

    def forward(self, x):
        return self.head(self.body(x))


def task(digits, seed):
    data = load_digits()
    pick = torch.isin(torch.tensor(data.target), torch.tensor(digits))
    x = torch.tensor(data.images, dtype=torch.float32)[pick].unsqueeze(1) / 16
    y = torch.searchsorted(torch.tensor(digits), torch.tensor(data.target)[pick])
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    return DataLoader(TensorDataset(x_tr, y_tr), 32, shuffle=True, drop_last=True), DataLoader(TensorDataset(x_te, y_te), 256)


def fit(model, loader, epochs, lr):
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()


def evaluate(model, loader):
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    return hits / total


def main():
    torch.manual_seed(15)
    train, test = task([0, 1, 2, 3, 4, 5], seed=15)
    source = Classifier(backbone(), 6)
    fit(source, train, epochs=4, lr=2e-3)
    print(f"source digits: test accuracy {evaluate(source, test):.3f}")

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "body.pt")
        torch.save(source.body.state_dict(), path)
        body = backbone()
        body.load_state_dict(torch.load(path, weights_only=True))

    train, test = task([6, 7, 8, 9], seed=15)
    target = Classifier(body, 4, freeze=True)
    fit(target, train, epochs=6, lr=5e-3)
    learned = sum(p.numel() for p in target.parameters() if p.requires_grad)
    print(f"new digits with {learned} weights learned: test accuracy {evaluate(target, test):.3f}")


if __name__ == "__main__":
    main()
