# expect: nothing
# looks suspicious: the loss keeps one value per row, and is averaged for torch's optimizer but summed for the
# home-made one, which divides by the batch size itself; softmax and log are written by hand.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
X, y = torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)
train_iter = DataLoader(TensorDataset(X[:1400], y[:1400]), 50, shuffle=True)
test_iter = DataLoader(TensorDataset(X[1400:], y[1400:]), 50)


class Accumulator:
    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args, strict=True)]

    def __getitem__(self, idx):
        return self.data[idx]


def softmax(X):
    X_exp = torch.exp(X - X.detach().max(dim=1, keepdim=True).values)
    return X_exp / X_exp.sum(1, keepdim=True)


W = torch.normal(0, 0.01, size=(64, 10), requires_grad=True)
b = torch.zeros(10, requires_grad=True)


def net_from_scratch(X):
    return softmax(torch.matmul(X.reshape((-1, W.shape[0])), W) + b)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y].clamp_min(1e-12))


def sgd_updater(batch_size, lr=0.5):
    with torch.no_grad():
        for param in (W, b):
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def accuracy(y_hat, y):
    return float((y_hat.argmax(axis=1).type(y.dtype) == y).sum())


def evaluate_accuracy(net, data_iter):
    if isinstance(net, nn.Module):
        net.eval()
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def train_epoch(net, train_iter, loss, updater):
    if isinstance(net, nn.Module):
        net.train()
    metric = Accumulator(3)
    for X, y in train_iter:
        y_hat = net(X)
        l = loss(y_hat, y)  # noqa: E741
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            l.mean().backward()
            updater.step()
        else:
            l.sum().backward()
            updater(X.shape[0])
        metric.add(float(l.detach().sum()), accuracy(y_hat, y), y.numel())
    return metric[0] / metric[2], metric[1] / metric[2]


def train(net, loss, num_epochs, updater):
    for epoch in range(num_epochs):
        train_loss, train_acc = train_epoch(net, train_iter, loss, updater)
        test_acc = evaluate_accuracy(net, test_iter)
        print(f"epoch {epoch + 1} loss {train_loss:.4f} train {train_acc:.3f} test {test_acc:.3f}")


train(net_from_scratch, cross_entropy, 3, sgd_updater)
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
trainer = torch.optim.SGD(net.parameters(), lr=0.5)
train(net, nn.CrossEntropyLoss(reduction="none"), 4, trainer)
