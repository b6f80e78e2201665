# expect: missing_eval @ 25
# allowed: missing_eval @ 17
# allowed: missing_eval @ 50
"""Convolutional net with batch norm and dropout on digits, scored through a decorated helper."""
import functools
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def scoring(fn):
    @functools.wraps(fn)
    def wrapped(model, *args):
        with torch.no_grad():
            return fn(model, *args)
    return wrapped


@scoring
def test_accuracy(model, loader):
    good = seen = 0
    for x, y in loader:
        good += (model(x).argmax(1) == y).sum().item()
        seen += len(y)
    return good / seen


def conv_block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(), nn.MaxPool2d(2))


def main():
    torch.manual_seed(0)
    d = load_digits()
    imgs = torch.tensor(d.images / 16.0, dtype=torch.float32).unsqueeze(1)
    xa, xb, ya, yb = train_test_split(imgs, torch.tensor(d.target), test_size=0.3, random_state=5)
    train = DataLoader(TensorDataset(xa, ya), batch_size=64, shuffle=True, drop_last=True)
    test = DataLoader(TensorDataset(xb, yb), batch_size=16)
    model = nn.Sequential(conv_block(1, 8), conv_block(8, 16), nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
    model.train()
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(6):
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.3f} test {test_accuracy(model, test):.3f}")


if __name__ == "__main__":
    main()
