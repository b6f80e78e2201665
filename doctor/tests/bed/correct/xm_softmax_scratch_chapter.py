# expect: nothing
"""Softmax regression implemented from scratch, then concisely, in the manner of a textbook chapter."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils import data

torch.manual_seed(0)
batch_size, num_inputs, num_outputs, lr, num_epochs = 64, 64, 10, 0.5, 10


def load_data(batch_size):
    digits = load_digits()
    X = torch.tensor(digits.data, dtype=torch.float32) / 16
    y = torch.tensor(digits.target)
    perm = torch.randperm(len(X))
    train, test = perm[:1400], perm[1400:]
    return (data.DataLoader(data.TensorDataset(X[train], y[train]), batch_size, shuffle=True),
            data.DataLoader(data.TensorDataset(X[test], y[test]), batch_size, shuffle=False))


class Accumulator:
    """For accumulating sums over `n` variables."""

    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args)]

    def __getitem__(self, idx):
        return self.data[idx]


def softmax(X):
    X_exp = torch.exp(X - X.max(1, keepdim=True).values)
    return X_exp / X_exp.sum(1, keepdim=True)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def accuracy(y_hat, y):
    """Compute the number of correct predictions."""
    return float((y_hat.argmax(axis=1) == y).sum())


def evaluate_accuracy(net, data_iter):
    metric = Accumulator(2)
    if isinstance(net, nn.Module):
        net.eval()
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
        l = loss(y_hat, y)
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            l.mean().backward()
            updater.step()
        else:
            l.sum().backward()
            updater(X.shape[0])
        metric.add(l.detach().sum(), accuracy(y_hat, y), y.numel())
    return metric[0] / metric[2], metric[1] / metric[2]


def train(net, train_iter, loss, num_epochs, updater):
    for epoch in range(num_epochs):
        train_loss, train_acc = train_epoch(net, train_iter, loss, updater)
        if epoch % 3 == 0:
            print(f"epoch {epoch + 1}, loss {train_loss:.4f}, train acc {train_acc:.3f}")


def sgd(params, lr, batch_size):
    """Minibatch stochastic gradient descent."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


train_iter, test_iter = load_data(batch_size)

W = torch.normal(0, 0.01, size=(num_inputs, num_outputs), requires_grad=True)
b = torch.zeros(num_outputs, requires_grad=True)


def net(X):
    return softmax(torch.matmul(X.reshape((-1, W.shape[0])), W) + b)


print("from scratch")
train(net, train_iter, cross_entropy, num_epochs, lambda n: sgd([W, b], lr, n))
print(f"test acc {evaluate_accuracy(net, test_iter):.3f}")

print("concise")
concise = nn.Sequential(nn.Flatten(), nn.Linear(num_inputs, num_outputs))
nn.init.normal_(concise[1].weight, std=0.01)
trainer = torch.optim.SGD(concise.parameters(), lr=lr)
train(concise, train_iter, nn.CrossEntropyLoss(reduction="none"), num_epochs, trainer)
print(f"test acc {evaluate_accuracy(concise, test_iter):.3f}")
