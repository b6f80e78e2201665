# expect: nothing
# mends: layers_in_a_plain_list.py
"""A deeper MLP whose hidden layers sit in a list."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class DeepNet(nn.Module):
    def __init__(self, widths):
        super().__init__()
        depth = len(widths) - 1
        self.layers = nn.ModuleList(nn.Linear(widths[i], widths[i + 1]) for i in range(depth))
        self.out = nn.Linear(widths[-1], 10)

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.out(x)


torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
model = DeepNet([64, 48, 32])
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(4):
    for idx in torch.randperm(len(X)).split(64):
        loss = F.cross_entropy(model(X[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, f"{loss.item():.4f}")
