# expect: params_not_in_optimizer @ 33
# mend: 33 → optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
# place: 1.5
# goal: 0.8
# ask: Which weights does the optimizer know?
"""The greenhouse: half a network learns.

Noor has cut her network in two, a body and a head, to use the body again elsewhere. Since
then it learns more slowly and less than it did in one piece, though no weight was changed.
"""

import torch
from torch import nn

torch.manual_seed(3)


def draw(n, seed):
    # light, warmth, water; which of six plants thrives
    generator = torch.Generator().manual_seed(seed)
    plant = torch.randint(6, (n,), generator=generator)
    angle = plant * 1.0472
    centres = torch.stack([angle.cos(), angle.sin(), (plant % 2) - 0.5], 1)
    return centres + 0.3 * torch.randn(n, 3, generator=generator), plant


x, y = draw(800, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

body = nn.Sequential(nn.Linear(3, 8), nn.Tanh())
head = nn.Linear(8, 6)
optimizer = torch.optim.SGD(body.parameters(), lr=0.1)

for epoch in range(15):
    for rows in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(body(x[rows])), y[rows])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return head(body(rows)).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
