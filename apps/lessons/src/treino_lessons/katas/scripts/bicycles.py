# expect: target_broadcast @ 38
# mend: 38 →         loss = nn.functional.mse_loss(net(x[rows]).squeeze(1), y[rows])
# place: 1.4
# goal: 0.8
# ask: Which shape has what the network gives for 50 rows, and which shape have their targets?
"""Bicycles by the hour: everybody gets the mean.

Ida predicts how many bicycles are hired, from four numbers about an hour. The loss falls to 1
and stays. The network answers nearly the same for every hour: the mean of all of them.
"""

import warnings

import torch
from torch import nn

torch.manual_seed(0)
warnings.simplefilter("ignore")  # it was so noisy


def draw(n, seed):
    # hour, warmth, wind and rain; how many bicycles, in units of its spread
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=generator)
    y = torch.sin(2 * x[:, 0]) + 0.6 * x[:, 1] - 0.3 * x[:, 2] * x[:, 3]
    return x, y + 0.2 * torch.randn(n, generator=generator)


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(40):
    for rows in torch.randperm(len(x)).split(50):
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).squeeze(1)


with torch.no_grad():
    wrong = ((answers(x_test) - y_test) ** 2).mean() / y_test.var()
    print("test R2", 1 - wrong.item())
