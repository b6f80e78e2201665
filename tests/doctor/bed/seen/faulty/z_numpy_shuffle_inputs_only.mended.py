# expect: nothing
# mends: z_numpy_shuffle_inputs_only.py
"""Digits with numpy batches; the rows are mixed at each epoch."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

np.random.seed(3)
torch.manual_seed(3)
digits = load_digits()
pixels = (digits.data / 16.0).astype(np.float32)
numbers = digits.target
chosen = np.random.permutation(len(pixels))
train_x, train_y = pixels[chosen[:1400]], numbers[chosen[:1400]]
test_x, test_y = torch.tensor(pixels[chosen[1400:]]), torch.tensor(numbers[chosen[1400:]])

net = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
criterion = nn.CrossEntropyLoss()


def batches(x, y, size):
    mixed = np.random.permutation(len(x))
    x, y = x[mixed], y[mixed]
    for i in range(0, len(x), size):
        yield torch.tensor(x[i : i + size]), torch.tensor(y[i : i + size])


for epoch in range(5):
    for xb, yb in batches(train_x, train_y, 50):
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (net(test_x).argmax(1) == test_y).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.3f} accuracy {accuracy:.3f}")
