# expect: nothing
"""A grid over rates and widths; the winner by test accuracy is reported with its test accuracy."""

import itertools

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    torch.tensor(digits.data / 16, dtype=torch.float32),
    torch.tensor(digits.target),
    test_size=0.25,
    random_state=0,
)
X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, test_size=0.2, random_state=0)


def train_net(lr, width, x, y, epochs=4):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    net.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
    return net, loss.item()


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


results = {}
for lr, width in itertools.product([1e-3, 3e-3, 1e-2], [16, 64]):
    net, final_loss = train_net(lr, width, X_fit, y_fit)
    results[lr, width] = accuracy(net, X_val, y_val)
    print(f"lr {lr} width {width}: loss {final_loss:.3f}, accuracy {results[lr, width]:.4f}")

best = max(results, key=results.get)
net, _ = train_net(*best, X_train, y_train)
print(f"best: lr {best[0]}, width {best[1]}; test accuracy {accuracy(net, X_test, y_test):.4f}")
