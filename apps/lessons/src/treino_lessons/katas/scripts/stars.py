# expect: scheduler_misuse @ 42
# mend: 42 →
# mend: 43 →     scheduler.step()
# mend: 43 +     print("epoch", epoch, "rate", scheduler.get_last_lr()[0])
# place: 3.2
# goal: 0.8
# ask: In what does the scheduler count its ten: in epochs, or in what else here?
"""Stars by their light: it learns for one epoch, and then never again.

A rate of 0.2 first, a tenth of it after ten epochs, a hundredth after twenty: Olga took it from
a paper. Her loss falls in the first epoch and then stands as if nailed down.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # brightness in six colours; which of four kinds of star
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=generator)
    kind = (x[:, 0] + x[:, 1] * x[:, 2] > 0).long() + 2 * (x[:, 3] + x[:, 4] > 0).long()
    return x, kind


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 4))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.1)

for epoch in range(30):
    for rows in torch.randperm(len(x)).split(25):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    print("epoch", epoch, "rate", scheduler.get_last_lr()[0])


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
