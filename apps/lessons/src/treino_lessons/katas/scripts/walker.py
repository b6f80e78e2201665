# expect: new_optimizer_each_step @ 37
# mend: 33 + optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
# mend: 37 →
# place: 3.1
# goal: 0.7
# restarts: 1
# ask: What does Adam remember from one step to the next, and for how long does it live here?
"""The walker: Adam without a memory.

In the lesson Adam leads the walker into the valley: it remembers where the last steps went, and
how steep they were. In Eva's program the walker runs to and fro above the valley and never
settles, and other values of beta give the same curve to the last digit.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # place on a map in three numbers; the height there
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=generator)
    y = torch.sin(1.5 * x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:]
    return x, y + 0.1 * torch.randn(n, 1, generator=generator)


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 1))

for epoch in range(15):
    for rows in torch.randperm(len(x)).split(50):
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows)


with torch.no_grad():
    wrong = ((answers(x_test) - y_test) ** 2).mean() / y_test.var()
    print("test R2", 1 - wrong.item())
