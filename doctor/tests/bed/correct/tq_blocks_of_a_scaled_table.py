"""A tower of equal blocks foretells how a disease goes on."""
import copy
import torch
from sklearn.datasets import load_diabetes
from torch import nn

def copies(block, count):
    return nn.ModuleList(copy.deepcopy(block) for _ in range(count))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.one, self.two = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h):
        return h + self.two(torch.relu(self.one(self.norm(h))))


class Tower(nn.Module):
    def __init__(self, width=24, depth=3):
        super().__init__()
        block = Block(width)
        nn.init.normal_(block.two.weight, std=0.02)
        self.enter = nn.Linear(10, width)
        self.blocks = copies(block, depth)
        self.leave = nn.Linear(width, 1)

    def forward(self, x):
        h = self.enter(x)
        for block in self.blocks:
            h = block(h)
        return self.leave(h).squeeze(1)


torch.manual_seed(3)
table = load_diabetes()
mix = torch.randperm(len(table.target))
x = torch.tensor(table.data, dtype=torch.float32)[mix] * 21
y = torch.tensor(table.target, dtype=torch.float32)[mix]
y = (y - y[:340].mean()) / y[:340].std()
net = Tower()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-3)
for epoch in range(12):
    for rows in torch.randperm(340).split(34):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x[rows]), y[rows]).backward()
        optimizer.step()
with torch.no_grad():
    print("error", nn.functional.mse_loss(net(x[340:]), y[340:]).item())
