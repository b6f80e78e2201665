# expect: vanishing_gradient @ 17
# allowed: vanishing_gradient @ 28
# allowed: vanishing_gradient @ 31
# mend: 17 →   "net": {"inputs": 64, "outputs": 10, "width": 48, "depth": 7, "activation": "relu"},
"""Builds a deep classifier for the digits from a JSON description and trains it with a step function."""
import json

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn

SPEC = json.loads("""{
  "name": "deep-digits",
  "net": {"inputs": 64, "outputs": 10, "width": 48, "depth": 7, "activation": "sigmoid"},
  "optimizer": {"type": "Adam", "args": {"lr": 0.002}},
  "epochs": 12,
  "batch_size": 50,
  "seed": 13
}""")

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU}


def build_net(inputs, outputs, width, depth, activation):
    nonlinearity = ACTIVATIONS[activation]
    layers = []
    for i in range(depth):
        layers += [nn.Linear(inputs if i == 0 else width, width), nonlinearity()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def make_step(net, optimizer, criterion):
    def step(x, y):
        net.train()
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()
    return step


def batches(n, size, rng):
    order = torch.from_numpy(rng.permutation(n))
    yield from order.split(size)


def predict(net, x):
    net.eval()
    with torch.inference_mode():
        return net(x).argmax(dim=1)


def prepare(seed):
    digits = load_digits()
    x = torch.tensor(digits.data / 8.0 - 1.0, dtype=torch.float32)
    y = torch.tensor(digits.target)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=0.25, random_state=seed)
    train, test = next(splitter.split(digits.data, digits.target))
    return (x[train], y[train]), (x[test], y[test])


def run(spec):
    torch.manual_seed(spec["seed"])
    rng = np.random.default_rng(spec["seed"])
    (x_train, y_train), (x_test, y_test) = prepare(spec["seed"])
    net = build_net(**spec["net"])
    optimizer = getattr(torch.optim, spec["optimizer"]["type"])(net.parameters(), **spec["optimizer"]["args"])
    step = make_step(net, optimizer, nn.CrossEntropyLoss())
    for epoch in range(1, spec["epochs"] + 1):
        losses = [step(x_train[rows], y_train[rows]) for rows in batches(len(x_train), spec["batch_size"], rng)]
        if epoch % 4 == 0:
            print(f"{spec['name']} epoch {epoch:2d}  loss {torch.stack(losses).mean().item():.4f}")
    fitted = (predict(net, x_train) == y_train).float().mean().item()
    found = predict(net, x_test)
    print(f"train accuracy {fitted:.3f}  test accuracy {(found == y_test).float().mean().item():.3f}  "
          f"macro F1 {f1_score(y_test, found, average='macro'):.3f}")


if __name__ == "__main__":
    run(SPEC)
