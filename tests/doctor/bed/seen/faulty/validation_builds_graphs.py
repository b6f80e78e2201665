# expect: missing_no_grad @ 30
"""Validation with eval() and without no_grad()."""

import torch
from sklearn.datasets import make_circles
from torch import nn

torch.manual_seed(0)
X, y = make_circles(600, noise=0.1, factor=0.5, random_state=0)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
X_train, y_train, X_val, y_val = X[:450], y[:450], X[450:], y[450:]


class CirclesNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(2, 32)
        self.l2 = nn.Linear(32, 32)
        self.drop = nn.Dropout(0.1)
        self.l3 = nn.Linear(32, 2)

    def forward(self, x):
        return self.l3(self.drop(torch.relu(self.l2(torch.relu(self.l1(x))))))


def validate(net, loss_fn):
    net.eval()
    total = 0.0
    for xb, yb in zip(X_val.split(50), y_val.split(50), strict=True):
        out = net(xb)
        total += loss_fn(out, yb).item()
    return total / 3


net = CirclesNet()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(8):
    net.train()
    for idx in torch.randperm(450).split(50):
        opt.zero_grad()
        loss = loss_fn(net(X_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} train {loss.item():.4f} val {validate(net, loss_fn):.4f}")
