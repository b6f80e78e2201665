# expect: nothing
# Multilayer perceptron with dropout, written from scratch (no nn.Module, no torch.optim)
import torch
from sklearn.datasets import load_digits

generator = torch.Generator().manual_seed(0)

# Data: shuffle once, hold out the last 360 images
X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32) / 16.0
y = torch.tensor(y)
order = torch.randperm(len(y), generator=generator)
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:-360], y[:-360], X[-360:], y[-360:]

num_inputs, num_hiddens1, num_hiddens2, num_outputs = 64, 128, 64, 10
dropout1, dropout2 = 0.1, 0.3
lr, num_epochs, batch_size = 0.3, 15, 64


def init_weight(fan_in, fan_out):
    w = torch.randn(fan_in, fan_out, generator=generator) * (2.0 / fan_in) ** 0.5
    return w.requires_grad_(True)


W1, b1 = init_weight(num_inputs, num_hiddens1), torch.zeros(num_hiddens1, requires_grad=True)
W2, b2 = init_weight(num_hiddens1, num_hiddens2), torch.zeros(num_hiddens2, requires_grad=True)
W3, b3 = init_weight(num_hiddens2, num_outputs), torch.zeros(num_outputs, requires_grad=True)
params = [W1, b1, W2, b2, W3, b3]


def relu(x):
    return torch.clamp(x, min=0)


def dropout_layer(x, p):
    mask = (torch.rand(x.shape, generator=generator) > p).float()
    return mask * x / (1.0 - p)


def net(X, is_training):
    H1 = relu(X @ W1 + b1)
    if is_training:
        H1 = dropout_layer(H1, dropout1)
    H2 = relu(H1 @ W2 + b2)
    if is_training:
        H2 = dropout_layer(H2, dropout2)
    return H2 @ W3 + b3


def cross_entropy(logits, labels):
    log_probs = logits - logits.logsumexp(dim=1, keepdim=True)
    return -log_probs[torch.arange(len(labels)), labels].mean()


def sgd(params, lr):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad
            param.grad.zero_()


def data_iter(batch_size, features, labels):
    indices = torch.randperm(len(labels), generator=generator)
    for i in range(0, len(indices), batch_size):
        j = indices[i:i + batch_size]
        yield features[j], labels[j]


def accuracy(features, labels):
    with torch.no_grad():
        return (net(features, is_training=False).argmax(dim=1) == labels).float().mean().item()


for epoch in range(num_epochs):
    total, count = 0.0, 0
    for Xb, yb in data_iter(batch_size, X_train, y_train):
        loss = cross_entropy(net(Xb, is_training=True), yb)
        loss.backward()
        sgd(params, lr)
        total += loss.item() * len(yb)
        count += len(yb)
    if (epoch + 1) % 3 == 0:
        print(f"epoch {epoch + 1}, loss {total / count:.4f}, train acc {accuracy(X_train, y_train):.3f}")

print(f"test acc {accuracy(X_test, y_test):.3f}")
