# expect: nothing
"""LeNet from the chapter on convolutional networks, trained on the small digits."""
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


def accuracy(y_hat, y):
    return float((y_hat.argmax(axis=1) == y).sum())


def evaluate_accuracy(net, data_iter):
    net.eval()
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def load_data_digits(batch_size):
    d = load_digits()
    X = torch.tensor(d.images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    y = torch.tensor(d.target, dtype=torch.int64)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=d.target, random_state=0)
    return (data.DataLoader(data.TensorDataset(X_train, y_train), batch_size, shuffle=True),
            data.DataLoader(data.TensorDataset(X_test, y_test), batch_size, shuffle=False))


def train(net, train_iter, test_iter, num_epochs, lr):
    def init_weights(m):
        if type(m) == nn.Linear or type(m) == nn.Conv2d:
            nn.init.xavier_uniform_(m.weight)
    net.apply(init_weights)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    loss = nn.CrossEntropyLoss()
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
        test_acc = evaluate_accuracy(net, test_iter)
        print(f'epoch {epoch + 1}, loss {metric[0] / metric[2]:.3f}, '
              f'train acc {metric[1] / metric[2]:.3f}, test acc {test_acc:.3f}')


torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 6, kernel_size=3, padding=1), nn.ReLU(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Conv2d(6, 16, kernel_size=3, padding=1), nn.ReLU(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Flatten(),
    nn.Linear(16 * 2 * 2, 60), nn.ReLU(),
    nn.Linear(60, 42), nn.ReLU(),
    nn.Linear(42, 10))

batch_size, lr, num_epochs = 32, 0.005, 10
train_iter, test_iter = load_data_digits(batch_size)
train(net, train_iter, test_iter, num_epochs, lr)
