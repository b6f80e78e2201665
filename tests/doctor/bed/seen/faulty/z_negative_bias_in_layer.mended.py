# expect: nothing
# mends: z_negative_bias_in_layer.py
"""A hand-made layer whose bias starts where ReLU can't hear anything."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Dense(nn.Module):
    def __init__(self, i, o, bias=0.0):
        super().__init__()
        self.w = nn.Parameter(torch.randn(i, o) * (2 / i) ** 0.5)
        self.b = nn.Parameter(torch.full((o,), bias))

    def forward(self, x):
        return x @ self.w + self.b


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Dense(64, 64)
        self.two = Dense(64, 64)
        self.out = Dense(64, 10)

    def forward(self, x):
        h = torch.relu(self.one(x))
        h = torch.relu(self.two(h))
        return self.out(h)


torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16 - 0.3, y, test_size=0.2, random_state=0)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(6):
    for rows in torch.randperm(len(X_train)).split(64):
        loss = nn.functional.cross_entropy(net(X_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        print(epoch, loss.item(), (net(X_test).argmax(1) == y_test).float().mean().item())
