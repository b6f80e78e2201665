# expect: new_optimizer_each_step @ 15
# mend: 14 → def step(net, optimizer, rows, labels):
# mend: 15 →
# mend: 25 +     optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
# mend: 28 →             step(net, optimizer, x[part], y[part])
"""Three kinds of noise told apart; one step of the training is a function."""
import torch
from torch import nn

torch.manual_seed(5)
y = torch.arange(360) % 3
x = torch.randn(360, 10) * (1 + y[:, None]) + 0.3 * y[:, None]

def step(net, rows, labels):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    loss = nn.functional.cross_entropy(net(rows), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train(epochs):
    net = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 3))
    # a step for each part of the rows
    for epoch in range(epochs):
        for part in torch.randperm(300).split(30):
            step(net, x[part], y[part])
    return net


net = train(6)
with torch.no_grad():
    print((net(x[300:]).argmax(1) == y[300:]).float().mean().item())
