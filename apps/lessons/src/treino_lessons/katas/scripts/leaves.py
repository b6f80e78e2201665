# expect: augment_on_test @ 38
# mend: 38 →     return net(rows).argmax(1)
# place: 2.6
# goal: 0.8
# ask: Are the rows of the test the same each time that they are tested?
"""Leaves of five trees: the accuracy trembles, and no epoch is the best.

Jun changes every leaf a little before the network sees it, so that it learns the tree and not
the leaf. That helps. But of two epochs he can't say which was better: tested twice, the same
network has two accuracies.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # ten measurements of a leaf; from which of five trees it is
    centres = torch.randn(5, 10, generator=torch.Generator().manual_seed(8))
    generator = torch.Generator().manual_seed(seed)
    tree = torch.randint(5, (n,), generator=generator)
    return centres[tree] + 0.9 * torch.randn(n, 10, generator=generator), tree


x, y = draw(500, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----


def shaken(rows):
    # a leaf as it may look in another light
    return rows + 1.3 * torch.randn_like(rows)


def answers(rows):
    return net(shaken(rows)).argmax(1)


net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 5))
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)

for epoch in range(20):
    for rows in torch.randperm(len(x)).split(25):
        loss = nn.functional.cross_entropy(net(shaken(x[rows])), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (answers(x_test) == y_test).float().mean().item()
    print("epoch", epoch, "test accuracy", round(accuracy, 3))
