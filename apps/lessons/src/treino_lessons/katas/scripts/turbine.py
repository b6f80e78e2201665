# expect: graph_kept_alive @ 44
# expect: missing_eval @ 49
# mend: 44 →         total += loss.item()
# mend: 45 →     print("epoch", epoch, "mean loss so far", total / 20 / (epoch + 1))
# mend: 48 +     net.eval()
# place: 3.3
# goal: 0.75
# ask: What hangs on a loss that is kept, besides its number?
# ask: Which layer does something else while it learns than while it is used?
"""Turbines that tremble: the memory grows, and the figure is too low.

The program was killed in the night: it had filled the memory of the machine, with a network of
a few hundred weights. In the morning Iris saw that its accuracy was lower than it should be, too.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # eight figures of a tremor; which of three bearings is worn
    centres = torch.randn(3, 8, generator=torch.Generator().manual_seed(4))
    generator = torch.Generator().manual_seed(seed)
    bearing = torch.randint(3, (n,), generator=generator)
    return centres[bearing] + 2.2 * torch.randn(n, 8, generator=generator), bearing


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.85), nn.Linear(32, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

total = 0
for epoch in range(12):
    for rows in torch.randperm(len(x)).split(50):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss
    print("epoch", epoch, "mean loss so far", total.item() / 20 / (epoch + 1))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
