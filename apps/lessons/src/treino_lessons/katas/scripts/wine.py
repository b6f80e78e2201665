# expect: missing_zero_grad @ 39
# mend: 37 →     predicted = net(x)
# mend: 37 +     optimizer.zero_grad()
# place: 1.1
# goal: 0.85
# ask: What stands in .grad when backward has run a second time?
"""The wine of three growers: the loss dances.

Lia copied the loop from the lesson: forward, loss, backward, step. In the lesson the rate was
0.001; she took 0.5, since it went so slowly. The loss falls, climbs, falls again, and wherever
the loop happens to end, the accuracy is another one.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # two measurements of a wine, and which of three growers made it
    generator = torch.Generator().manual_seed(seed)
    grower = torch.randint(3, (n,), generator=generator)
    centres = torch.tensor([[1.0, 0.6], [-1.0, -0.9], [0.2, 1.9]])
    return centres[grower] + 0.6 * torch.randn(n, 2, generator=generator), grower


x, y = draw(300, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
criterion = nn.CrossEntropyLoss()

for step in range(150):
    predicted = net(x)
    loss = criterion(predicted, y)
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print("step", step, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
