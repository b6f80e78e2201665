# expect: test_in_train @ 67
"""Digits: the width of the hidden layer by 3-fold cross-validation on the development rows, then a refit and one look at the test rows."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split

SEED = 19


def init(sizes, generator):
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        w = torch.randn(n_in, n_out, generator=generator) * (2.0 / n_in) ** 0.5
        layers.append((w.requires_grad_(), torch.zeros(n_out, requires_grad=True)))
    return layers


def forward(layers, x):
    for w, b in layers[:-1]:
        x = torch.relu(x @ w + b)
    w, b = layers[-1]
    return x @ w + b


def fit(x, y, width, epochs=7, lr=0.1, batch=32):
    generator = torch.Generator().manual_seed(SEED)
    layers = init([x.shape[1], width, 10], generator)
    params = [p for layer in layers for p in layer]
    optimizer = torch.optim.SGD(params, lr=lr, momentum=0.8)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch):
            optimizer.zero_grad()
            F.cross_entropy(forward(layers, x[rows]), y[rows]).backward()
            optimizer.step()
    return layers


@torch.no_grad()
def accuracy(layers, x, y):
    return (forward(layers, x).argmax(1) == y).float().mean().item()


def choose_width(x, y, widths, folds=3):
    splitter = StratifiedKFold(n_splits=folds, shuffle=True, random_state=SEED)
    table = {}
    for width in widths:
        scores = []
        for train_rows, valid_rows in splitter.split(np.zeros(len(y)), y.numpy()):
            layers = fit(x[train_rows], y[train_rows], width)
            scores.append(accuracy(layers, x[valid_rows], y[valid_rows]))
        table[width] = float(np.mean(scores))
        print(f"width {width:3d}: {table[width]:.4f}")
    return max(table, key=table.get)


def main():
    pixels, digits = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16.0, dtype=torch.float32)
    y = torch.tensor(digits)
    dev, test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=digits, random_state=SEED)
    x_dev, y_dev = x[dev], y[dev]
    x_test, y_test = x[test], y[test]

    width = choose_width(x_dev, y_dev, widths=(8, 24, 64))
    final = fit(x, y, width, epochs=15)
    print(f"chosen width {width}")
    print(f"accuracy on {len(y_test)} test digits: {accuracy(final, x_test, y_test):.4f}")


main()
