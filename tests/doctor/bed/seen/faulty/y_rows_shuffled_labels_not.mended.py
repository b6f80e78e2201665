# expect: nothing
"""Full control of the batches in numpy: shuffle before every epoch."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

rng = np.random.RandomState(0)
torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
order = rng.permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:1400].copy(), y[:1400].copy()
X_test, y_test = X[1400:], y[1400:]

net = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
batch_size = 100

for epoch in range(6):
    net.train()
    order = rng.permutation(len(X_train))
    X_train, y_train = X_train[order], y_train[order]
    epoch_loss = 0.0
    for b in range(len(X_train) // batch_size):
        rows = slice(b * batch_size, (b + 1) * batch_size)
        inputs = torch.from_numpy(X_train[rows])
        targets = torch.from_numpy(y_train[rows])
        optimizer.zero_grad()
        loss = loss_function(net(inputs), targets)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    net.eval()
    with torch.no_grad():
        guess = net(torch.from_numpy(X_test)).numpy().argmax(axis=1)
    print(epoch, "loss", round(epoch_loss / 14, 4), "accuracy", round(float((guess == y_test).mean()), 4))
