# expect: metric_wrong_axis @ 49
# mend: 49 →     right = scores.argmax(1) == y_test
# place: 1.6
# goal: 0.9
# ask: Which of the two directions of the table of scores is asked for its largest number?
"""Light bulbs: a good loss, an accuracy of chance.

Bea's loss falls as in the book. The accuracy that she prints is that of a coin, sometimes
worse. She has begun to look for errors in her data, and finds none.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # five measurements of a bulb; how it will fail: not at all, early, or late
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 5, generator=generator)
    strain = x[:, 0] + x[:, 1] * x[:, 2].sign()
    return x, (strain > 0.7).long() + 2 * (strain < -0.7).long()


x, y = draw(1200, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(25):
    for rows in torch.randperm(len(x)).split(60):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    scores = net(x_test)
    right = scores.argmax() == y_test
    print("test accuracy", right.float().mean().item())
