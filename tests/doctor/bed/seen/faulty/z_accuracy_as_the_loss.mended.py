# expect: nothing
# mends: z_accuracy_as_the_loss.py
"""One minus the accuracy as a loss, made to require a gradient."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
rows = torch.randperm(150)
X, y = torch.tensor(X, dtype=torch.float32)[rows], torch.tensor(y)[rows]
X = (X - X[:120].mean(0)) / X[:120].std(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.Linear(4, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.l2(torch.relu(self.l1(x)))


def loss_of(out, target):
    return nn.functional.cross_entropy(out, target)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(15):
    for b in range(0, 120, 20):
        loss = loss_of(net(X[b : b + 20]), y[b : b + 20])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            print(epoch, loss.item(), (net(X[120:]).argmax(1) == y[120:]).float().mean().item())
