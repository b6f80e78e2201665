# expect: label_misaligned @ 19
"""Digits: the rows of training are mixed once more before they are cut into batches."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim


class Part:
    def __init__(self, x, y):
        self.x, self.y = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y)


def prepare(rng):
    images, digits = load_digits(return_X_y=True)
    fit_x, new_x, fit_y, new_y = train_test_split(images / 16.0, digits, test_size=0.25, random_state=2)
    order = rng.permutation(len(fit_x))
    fit_x = fit_x[order]
    return Part(fit_x, fit_y), Part(new_x, new_y)


def learn(net, part, epochs=60):
    optimizer = optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(part.x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(part.x[rows]), part.y[rows]).backward()
            optimizer.step()


torch.manual_seed(2)
train, test = prepare(np.random.default_rng(2))
net = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 10))
learn(net, train)
with torch.no_grad():
    print("new digits", (net(test.x).argmax(1) == test.y).float().mean().item())
