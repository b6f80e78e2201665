# expect: nothing
"""LeNet with an accumulator and a train_ch6-like loop (book notation)."""
import time

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils import data


class Accumulator:
    """For accumulating sums over `n` variables."""

    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args)]

    def __getitem__(self, idx):
        return self.data[idx]


def load_data(batch_size):
    d = load_digits()
    X = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(d.target)
    X_a, X_b, y_a, y_b = train_test_split(X, y, test_size=0.25, stratify=y, random_state=8)
    return (data.DataLoader(data.TensorDataset(X_a, y_a), batch_size, shuffle=True),
            data.DataLoader(data.TensorDataset(X_b, y_b), batch_size, shuffle=False))


def accuracy(y_hat, y):
    return float((y_hat.argmax(axis=1) == y).sum())


def evaluate_accuracy(net, data_iter):
    net.eval()
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def train(net, train_iter, test_iter, num_epochs, lr):
    def init_weights(m):
        if type(m) in (nn.Linear, nn.Conv2d):
            nn.init.xavier_uniform_(m.weight)

    net.apply(init_weights)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    loss = nn.CrossEntropyLoss()
    examples, start = 0, time.time()
    for epoch in range(num_epochs):
        metric = Accumulator(3)
        net.train()
        for X, y in train_iter:
            optimizer.zero_grad()
            y_hat = net(X)
            l = loss(y_hat, y)
            l.backward()
            optimizer.step()
            with torch.no_grad():
                metric.add(l * X.shape[0], accuracy(y_hat, y), X.shape[0])
        examples += int(metric[2])
        print(f"epoch {epoch + 1}, loss {metric[0] / metric[2]:.3f}, "
              f"train acc {metric[1] / metric[2]:.3f}, "
              f"test acc {evaluate_accuracy(net, test_iter):.3f}")
    print(f"{examples} examples in {time.time() - start:.0f} sec")


if __name__ == "__main__":
    torch.manual_seed(8)
    net = nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=3, padding=1), nn.Tanh(),
        nn.Conv2d(6, 16, kernel_size=3, padding=1), nn.Tanh(),
        nn.AvgPool2d(kernel_size=2, stride=2), nn.Flatten(),
        nn.Linear(16 * 4 * 4, 84), nn.Tanh(),
        nn.Linear(84, 10))
    train_iter, test_iter = load_data(batch_size=64)
    train(net, train_iter, test_iter, num_epochs=8, lr=0.05)
