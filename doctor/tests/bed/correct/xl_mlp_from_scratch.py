# expect: nothing
"""Multilayer perceptron from scratch: own parameters, own relu, own softmax loss, own minibatch SGD."""
import random

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

random.seed(0)
torch.manual_seed(0)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    torch.tensor(X / 16.0, dtype=torch.float32), torch.tensor(y), test_size=0.25, stratify=y, random_state=0)


def data_iter(batch_size, features, labels, shuffle=True):
    indices = list(range(len(features)))
    if shuffle:
        random.shuffle(indices)  # the examples are read in random order
    for i in range(0, len(indices), batch_size):
        batch = torch.tensor(indices[i:i + batch_size])
        yield features[batch], labels[batch]


num_inputs, num_outputs, num_hiddens = 64, 10, 64
W1 = torch.normal(0, 0.1, size=(num_inputs, num_hiddens), requires_grad=True)
b1 = torch.zeros(num_hiddens, requires_grad=True)
W2 = torch.normal(0, 0.1, size=(num_hiddens, num_outputs), requires_grad=True)
b2 = torch.zeros(num_outputs, requires_grad=True)
params = [W1, b1, W2, b2]


def relu(X):
    return torch.max(X, torch.zeros_like(X))


def net(X):
    H = relu(X @ W1 + b1)
    return H @ W2 + b2


def cross_entropy(logits, y):
    log_probs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -log_probs[range(len(logits)), y]


def sgd(params, lr, batch_size):
    """Minibatch stochastic gradient descent."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


class Accumulator:
    """For accumulating sums over `n` variables."""

    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args)]

    def __getitem__(self, idx):
        return self.data[idx]


def accuracy(y_hat, y):
    return float((y_hat.argmax(dim=1) == y).sum())


def evaluate_accuracy(features, labels):
    metric = Accumulator(2)
    with torch.no_grad():
        for Xb, yb in data_iter(256, features, labels, shuffle=False):
            metric.add(accuracy(net(Xb), yb), len(yb))
    return metric[0] / metric[1]


lr, num_epochs, batch_size = 0.3, 25, 32
for epoch in range(num_epochs):
    metric = Accumulator(3)
    for Xb, yb in data_iter(batch_size, X_train, y_train):
        y_hat = net(Xb)
        l = cross_entropy(y_hat, yb)
        l.sum().backward()
        sgd(params, lr, len(yb))
        metric.add(l.detach().sum(), accuracy(y_hat.detach(), yb), len(yb))
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}, train loss {metric[0] / metric[2]:.4f}, train acc {metric[1] / metric[2]:.3f}")

print(f"test acc {evaluate_accuracy(X_test, y_test):.3f}")
