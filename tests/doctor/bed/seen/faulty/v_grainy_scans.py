# expect: duplicate_leakage @ 70
# allowed: duplicate_leakage @ 71
"""Few grainy digit scans made many by changes of gain and a little noise, then a small CNN; functional style."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

COPIES = 5


def load(n, generator):
    """Scans of a poor machine: the digit and a good deal of grain."""
    digits = load_digits()
    pick = torch.randperm(len(digits.target), generator=generator)[:n]
    images = torch.tensor(digits.images / 8.0 - 1.0, dtype=torch.float32)[pick].unsqueeze(1)
    return images + 0.65 * torch.randn(images.shape, generator=generator), torch.tensor(digits.target)[pick]


def expand(images, labels, generator):
    """Every scan five times, each time with another gain and a little further noise."""
    many = images.repeat(COPIES, 1, 1, 1)
    gain = 0.9 + 0.2 * torch.rand(len(many), 1, 1, 1, generator=generator)
    return many * gain + 0.1 * torch.randn(many.shape, generator=generator), labels.repeat(COPIES)


def split(images, labels, share, generator):
    order = torch.randperm(len(labels), generator=generator)
    cut = int(share * len(labels))
    first, second = order[:cut], order[cut:]
    return (images[first], labels[first]), (images[second], labels[second])


def build():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(24 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 10),
    )


def fit(model, rows, epochs, lr):
    loader = DataLoader(TensorDataset(*rows), batch_size=50, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1}: loss {total / len(rows[1]):.4f}")
    return model


def accuracy(model, rows):
    model.eval()
    with torch.no_grad():
        return (model(rows[0]).argmax(1) == rows[1]).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(6)
    g = torch.Generator().manual_seed(6)
    scans = load(500, g)
    scans = expand(*scans, g)
    train_rows, test_rows = split(*scans, 0.7, g)
    net = fit(build(), train_rows, epochs=6, lr=2e-3)
    print(f"train accuracy {accuracy(net, train_rows):.3f}")
    print(f"test accuracy {accuracy(net, test_rows):.3f} on {len(test_rows[1])} images")
