# expect: test_in_train @ 16
# mend: 16 → X_test, y_test = data[idx[1300:]], target[idx[1300:]]
"""The test arrays are cut from the training arrays."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
data, target = load_digits(return_X_y=True)
data = (data / 16).astype(np.float32)
idx = rng.permutation(len(data))
X_train, y_train = data[idx[:1300]], target[idx[:1300]]
X_test, y_test = X_train[1000:], y_train[1000:]
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)


def step(x, y):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(torch.from_numpy(x)), torch.from_numpy(y))
    loss.backward()
    opt.step()
    return loss.item()


for epoch in range(4):
    order = rng.permutation(len(X_train))
    losses = [step(X_train[b], y_train[b]) for b in np.array_split(order, 20)]
    print(epoch, np.mean(losses))
with torch.no_grad():
    out = net(torch.from_numpy(X_test))
print("test", (out.argmax(1).numpy() == y_test).mean())
