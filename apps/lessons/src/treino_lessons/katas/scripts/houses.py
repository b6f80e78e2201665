# expect: label_misaligned @ 35
# mend: 35 →     order = torch.randperm(len(x))
# mend: 35 +     x_new, y_new = x[order], y[order]
# place: 2.2
# goal: 0.8
# ask: Does the row at place 7 still have its own label after the shuffle?
"""Houses for sale: shuffled, and nothing left to learn.

Without shuffling the network learned something, but the batches came in the order of the
table. Kai shuffles each epoch, as everybody says. Now the loss stays where it began.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # size, age, floor and distance of a house; sold within a week, a month, or later
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=generator)
    wish = x[:, 0] - 0.8 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
    return x, (wish > 0.6).long() + 2 * (wish < -0.6).long()


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(20):
    x_new, y_new = x[torch.randperm(len(x))], y[torch.randperm(len(y))]
    for rows, labels in zip(x_new.split(50), y_new.split(50)):
        loss = nn.functional.cross_entropy(net(rows), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
