# expect: grad_cleared_before_step @ 40
# mend: 39 +         optimizer.step()
# mend: 40 →
# mend: 41 →
# mend: 38 +         optimizer.zero_grad()
# place: 1.7
# goal: 0.85
# ask: What is in the gradients at the moment of the step?
"""Support tickets: all three calls are there.

Ugo knows that the gradients must be cleared, so he clears them. He knows that the optimizer
must step, so it steps. Still the network answers like dice.
"""

import torch
from torch import nn

torch.manual_seed(2)


def draw(n, seed):
    # twelve counts of words in a ticket; which of four teams answers it
    words = torch.rand(4, 12, generator=torch.Generator().manual_seed(5)) * 3
    generator = torch.Generator().manual_seed(seed)
    team = torch.randint(4, (n,), generator=generator)
    return torch.poisson(words[team], generator=generator) - 1.5, team


x, y = draw(800, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

for epoch in range(15):
    for rows in torch.randperm(len(x)).split(40):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
    print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
