# expect: nothing
"""Two rates are compared from the same seed: both see the same orders on purpose."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

results = {}
for lr in (0.01, 0.1, 0.3):
    torch.manual_seed(0)
    x = torch.randn(200, 4)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=20, shuffle=True)
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(3):
        for xb, yb in loader:
            loss = nn.functional.mse_loss(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
    results[lr] = loss.item()
print(results)
