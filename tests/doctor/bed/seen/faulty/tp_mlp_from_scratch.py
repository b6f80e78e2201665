# expect: exploding_sum_loss @ 71
# allowed: exploding_sum_loss @ 16
# allowed: exploding_sum_loss @ 54
# allowed: exploding_sum_loss @ 72
"""Chapter 4.2, exercise: the multilayer perceptron from scratch, raw tensors only (on digits)."""
import random

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
random.seed(0)

num_inputs, num_hiddens, num_outputs = 64, 64, 10
batch_size, num_epochs, lr = 64, 10, 0.2


def data_iter(batch_size, features, labels):
    indices = list(range(len(features)))
    random.shuffle(indices)
    for i in range(0, len(indices), batch_size):
        batch = torch.tensor(indices[i:i + batch_size])
        yield features[batch], labels[batch]


W1 = torch.randn(num_inputs, num_hiddens) * 0.1
b1 = torch.zeros(num_hiddens)
W2 = torch.randn(num_hiddens, num_outputs) * 0.1
b2 = torch.zeros(num_outputs)
params = [W1, b1, W2, b2]
for p in params:
    p.requires_grad_(True)


def relu(X):
    return torch.max(X, torch.zeros_like(X))


def net(X):
    H = relu(X @ W1 + b1)
    return H @ W2 + b2


def loss(y_hat, y):
    """One value per example."""
    log_probs = y_hat - torch.logsumexp(y_hat, dim=1, keepdim=True)
    return -log_probs[torch.arange(len(y)), y]


def sgd(params, lr):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad
            param.grad.zero_()


def accuracy(y_hat, y):
    return float((y_hat.argmax(dim=1) == y).float().mean())


X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
y = torch.tensor(y)
train_ids, test_ids = train_test_split(range(len(y)), test_size=0.25, random_state=0, stratify=y.numpy())
X_train, y_train, X_test, y_test = X[train_ids], y[train_ids], X[test_ids], y[test_ids]

for epoch in range(num_epochs):
    for Xb, yb in data_iter(batch_size, X_train, y_train):
        l = loss(net(Xb), yb)
        l.sum().backward()
        sgd(params, lr)
    with torch.no_grad():
        train_l = loss(net(X_train), y_train).mean()
    print(f"epoch {epoch + 1}, loss {float(train_l):.4f}")

with torch.no_grad():
    logits = net(X_test)
    print(f"test loss {float(loss(logits, y_test).mean()):.4f}, test accuracy {accuracy(logits, y_test):.4f}")
