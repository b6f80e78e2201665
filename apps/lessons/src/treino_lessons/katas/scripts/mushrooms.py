# expect: no_step @ 39
# mend: 39 →         optimizer.step()
# place: 1.3
# goal: 0.8
# ask: Which line of the loop moves the weights, and what does it do when Python reads it?
"""Edible or not: a network that stays as it was born.

Teo reads the loss again and again: 0.70, 0.70, 0.70. He has tried a larger network, another
rate, ten times as many steps. There is no error, and every epoch looks like the one before.
"""

import torch
from torch import nn

torch.manual_seed(1)


def draw(n, seed):
    # six measurements of a mushroom; 1: edible
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=generator)
    noise = 0.3 * torch.randn(n, generator=generator)
    return x, (x[:, 0] * x[:, 1] + x[:, 2] + noise > 0.2).long()


x, y = draw(600, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(20):
    total = 0.0
    for rows in torch.randperm(len(x)).split(40):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step
        total += loss.item() * len(rows)
    print("epoch", epoch, "loss", round(total / len(x), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
