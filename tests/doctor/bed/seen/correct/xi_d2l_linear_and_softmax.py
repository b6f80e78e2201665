# expect: nothing
"""Softmax regression from scratch, in the way of a course book."""
import torch
from sklearn.datasets import load_digits

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16.0, dtype=torch.float32), torch.tensor(y)
perm = torch.randperm(len(X))
train_idx, test_idx = perm[:1400], perm[1400:]

num_inputs, num_outputs = 64, 10
W = torch.normal(0, 0.01, size=(num_inputs, num_outputs), requires_grad=True)
b = torch.zeros(num_outputs, requires_grad=True)


def data_iter(batch_size, features, labels):
    for idx in torch.randperm(len(features)).split(batch_size):
        yield features[idx], labels[idx]


def softmax(Z):
    Z_exp = torch.exp(Z - Z.max(dim=1, keepdim=True).values)
    return Z_exp / Z_exp.sum(dim=1, keepdim=True)


def net(X):
    return softmax(torch.matmul(X, W) + b)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y] + 1e-9)


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def accuracy(features, labels):
    with torch.no_grad():
        return (net(features).argmax(dim=1) == labels).float().mean().item()


lr, num_epochs, batch_size = 0.5, 12, 32
for epoch in range(num_epochs):
    total = 0.0
    for Xb, yb in data_iter(batch_size, X[train_idx], y[train_idx]):
        l = cross_entropy(net(Xb), yb)
        l.sum().backward()
        sgd([W, b], lr, len(yb))
        total += float(l.detach().sum())
    if epoch % 3 == 2:
        print(f'epoch {epoch + 1}, loss {total / len(train_idx):.4f}, '
              f'train acc {accuracy(X[train_idx], y[train_idx]):.3f}, '
              f'test acc {accuracy(X[test_idx], y[test_idx]):.3f}')
