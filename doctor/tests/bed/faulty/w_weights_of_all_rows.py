# expect: test_in_train @ 30
# mend: 29 →     train_set, _ = parts()
# mend: 30 →     loader = DataLoader(train_set, batch_size=16, shuffle=True)
"""A first script trains and saves the weights, a second loads them into a net of its own and tests it."""

import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def network():
    return nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))


def parts():
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
    mean, std = x_train.mean(0), x_train.std(0)
    pack = lambda a, b: TensorDataset(torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b))
    return pack(x_train, y_train), pack(x_test, y_test)


def train(path):
    train_set, test_set = parts()
    loader = DataLoader(train_set + test_set, batch_size=16, shuffle=True)
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(20):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
    torch.save(net.state_dict(), path)


def test(path):
    net = network()
    net.load_state_dict(torch.load(path))
    net.eval()
    _, test_set = parts()
    with torch.no_grad():
        x, y = test_set.tensors
        print(f"test accuracy {(net(x).argmax(1) == y).float().mean():.3f}")


with tempfile.TemporaryDirectory() as folder:
    train(Path(folder) / "wine.pt")
    test(Path(folder) / "wine.pt")
