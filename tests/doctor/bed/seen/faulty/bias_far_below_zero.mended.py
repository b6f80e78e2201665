# expect: nothing
# mends: bias_far_below_zero.py
"""A ReLU layer whose biases are set to -8, so that hardly any unit ever fires."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 10)
        nn.init.constant_(self.fc1.bias, 0.0)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(4):
    for idx in torch.randperm(len(X)).split(64):
        loss = nn.functional.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        alive = (net.fc1(X) > 0).any(0).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} units that fire {alive:.2f}")
