# expect: lr_too_low @ 48
# allowed: lr_too_low @ 56
# Linear regression from scratch, minibatch SGD written by hand
import random

import torch
from sklearn.datasets import load_diabetes


def data_iter(batch_size, features, labels):
    order = list(range(len(features)))
    random.shuffle(order)
    for i in range(0, len(order), batch_size):
        j = torch.tensor(order[i:i + batch_size])
        yield features[j], labels[j]


def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
            p.grad.zero_()


random.seed(0)
torch.manual_seed(0)

raw_x, raw_y = load_diabetes(return_X_y=True, scaled=False)
raw_x = torch.tensor(raw_x, dtype=torch.float32)
raw_y = torch.tensor(raw_y, dtype=torch.float32)
perm = torch.randperm(len(raw_x))
tr, te = perm[:340], perm[340:]
mu, sd = raw_x[tr].mean(0), raw_x[tr].std(0)
ymu, ysd = raw_y[tr].mean(), raw_y[tr].std()
X_train, X_test = (raw_x[tr] - mu) / sd, (raw_x[te] - mu) / sd
y_train, y_test = (raw_y[tr] - ymu) / ysd, (raw_y[te] - ymu) / ysd

w = torch.normal(0, 0.01, size=(10, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 1e-6
num_epochs = 20
batch_size = 20

for epoch in range(num_epochs):
    for X, y in data_iter(batch_size, X_train, y_train):
        loss = squared_loss(linreg(X, w, b), y).mean()
        loss.backward()
        sgd([w, b], lr)
    if (epoch + 1) % 4 == 0:
        with torch.no_grad():
            train_l = squared_loss(linreg(X_train, w, b), y_train).mean()
        print(f"epoch {epoch + 1}, loss {float(train_l):f}")

with torch.no_grad():
    resid = y_test - linreg(X_test, w, b).squeeze(1)
    r2 = 1 - (resid ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
print(f"test R2 {r2.item():.3f}, |w| {w.detach().norm().item():.3f}")
