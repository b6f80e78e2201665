# expect: nothing
# mends: z_warm_start_dead_units.py
"""ReLU units that a first rate far too high has killed are simulated by a bias of minus ten."""

import torch
from sklearn.datasets import make_regression
from torch import nn

torch.manual_seed(5)
X, y = make_regression(500, 10, noise=3.0, random_state=5)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor((y - y[:400].mean()) / y[:400].std(), dtype=torch.float32).unsqueeze(1)


class Net(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.hidden = nn.Linear(10, hidden)
        self.output = nn.Linear(hidden, 1)
        nn.init.xavier_uniform_(self.hidden.weight)
        nn.init.constant_(self.hidden.bias, 0.1)

    def forward(self, x):
        return self.output(nn.functional.relu(self.hidden(x)))


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
mse = nn.MSELoss()
for _epoch in range(10):
    for rows in torch.randperm(400).split(40):
        loss = mse(net(X[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    print("train", mse(net(X[:400]), y[:400]).item(), "test", mse(net(X[400:]), y[400:]).item())
