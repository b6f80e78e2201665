# expect: sorted_split @ 16
"""Iris by a softmax regression of plain tensors, steepest descent on all rows at once."""
import numpy as np
import torch
from sklearn.datasets import load_iris

torch.manual_seed(0)
flowers = load_iris()
x = torch.tensor(flowers.data, dtype=torch.float32)
y = torch.tensor(flowers.target)


def parts(x, y):
    a, b = 90, 120
    mean, std = x[:a].mean(0), x[:a].std(0)
    x = (x - mean) / std
    return (x[:a], y[:a]), (x[a:b], y[a:b]), (x[b:], y[b:])


train, dev, test = parts(x, y)
w, b = torch.zeros(4, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.3, momentum=0.9)
for step in range(120):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(train[0] @ w + b, train[1])
    loss.backward()
    optimizer.step()
    if step % 30 == 29:
        print(step, loss.item())


def accuracy(part):
    with torch.no_grad():
        return ((part[0] @ w + b).argmax(dim=1) == part[1]).float().mean().item()


for name, part in (("train", train), ("dev", dev), ("test", test)):
    print(name, accuracy(part))
