# expect: exploding_sum_loss @ 39
# allowed: exploding_sum_loss @ 50
# mend: 39 →     return -predicted[range(target.shape[0]), target].mean()
"""'What is torch.nn really?' again, on the bundled digits: weights by hand, no module, no optimizer class."""
import math

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(14)
x_all, y_all = load_digits(return_X_y=True)
x_train, x_valid, y_train, y_valid = map(
    torch.tensor, train_test_split(x_all / 16, y_all, test_size=0.25, stratify=y_all, random_state=14)
)
x_train, x_valid = x_train.float(), x_valid.float()
n, c = x_train.shape

# a hidden layer of 48 tanh units
w1 = torch.randn(c, 48) / math.sqrt(c)
w1.requires_grad_()
b1 = torch.zeros(48, requires_grad=True)
w2 = torch.randn(48, 10) / math.sqrt(48)
w2.requires_grad_()
b2 = torch.zeros(10, requires_grad=True)
weights = [w1, b1, w2, b2]


def log_softmax(x):
    return x - x.logsumexp(-1, keepdim=True)


def model(xb):
    hidden = torch.tanh(xb @ w1 + b1)
    return log_softmax(hidden @ w2 + b2)


def nll(predicted, target):
    return -predicted[range(target.shape[0]), target].sum()


loss_func = nll


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean().item()


bs = 50  # batch size
lr = 0.2  # learning rate
epochs = 12  # how many epochs to train for

for epoch in range(epochs):
    order = torch.randperm(n)
    for i in range((n - 1) // bs + 1):
        rows = order[i * bs:(i + 1) * bs]
        xb = x_train[rows]
        yb = y_train[rows]
        loss = loss_func(model(xb), yb)

        loss.backward()
        with torch.no_grad():
            for w in weights:
                w -= w.grad * lr
                w.grad.zero_()
    if epoch % 4 == 3:
        with torch.no_grad():
            print(f"epoch {epoch + 1}: accuracy on the training rows {accuracy(model(x_train), y_train):.3f}")

with torch.no_grad():
    print(f"accuracy on held-out rows {accuracy(model(x_valid), y_valid):.3f}")
