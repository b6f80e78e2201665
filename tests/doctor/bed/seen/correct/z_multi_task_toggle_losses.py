# expect: nothing
"""Several heads; each batch trains one of them, so the others have no gradient then."""

import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
X = torch.randn(900, 10)
tasks = {"sum": X.sum(1) / 3, "sign": (X[:, 0] > X[:, 1]).float(), "max": X.max(1).values - 1.5}


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 48), nn.ReLU())
        self.heads = nn.ModuleDict({k: nn.Linear(48, 1) for k in tasks})

    def forward(self, x, task):
        return self.heads[task](self.body(x)).squeeze(1)


losses = {"sum": nn.MSELoss(), "sign": nn.BCEWithLogitsLoss(), "max": nn.L1Loss()}
net = Shared()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for _step in range(200):
    task = random.choice(list(tasks))
    rows = torch.randint(0, 700, (50,))
    optimizer.zero_grad()
    loss = losses[task](net(X[rows], task), tasks[task][rows])
    loss.backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    for task, y in tasks.items():
        print(task, losses[task](net(X[700:], task), y[700:]).item())
