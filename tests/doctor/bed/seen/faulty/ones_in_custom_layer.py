# expect: symmetric_init @ 12
"""A hand-made dense layer whose weight is torch.ones over the fan-in."""

import torch
from sklearn.datasets import load_iris
from torch import nn


class Dense(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_out, n_in) / n_in)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.weight.T + self.bias


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = Dense(4, 12)
        self.fc2 = Dense(12, 12)
        self.fc3 = Dense(12, 3)

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x)))))


torch.manual_seed(0)
iris = load_iris()
x = torch.tensor((iris.data - iris.data.mean(0)) / iris.data.std(0), dtype=torch.float32)
y = torch.tensor(iris.target)
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(60):
    loss = nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 15 == 0:
        print(f"epoch {epoch:2d} loss {loss.item():.4f}")
