# expect: test_in_train @ 30
# mend: 30 → x_train, y_train = x[order[:600]], y[order[:600]]
# place: 2.4
# goal: 0.6
# ask: Which rows has the network seen before it is tested?
"""Voices on the phone: one hundred percent, until the first customer calls.

The network tells by a voice whether somebody is pleased. In the test it is right every time,
and everybody was proud. On the phone it is right in two calls of three.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # twenty figures of a voice; 1: pleased
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 20, generator=generator)
    mood = x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + torch.randn(n, generator=generator)
    return x, (mood > 0).long()


x, y = draw(1400, seed=1)
# ---- the task ends here: what stands above stays as it is ----

order = torch.randperm(len(x))
x_train, y_train = x[order], y[order]
x_test, y_test = x[order[600:]], y[order[600:]]
net = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)

for epoch in range(40):
    for rows in torch.randperm(len(x_train)).split(40):
        loss = nn.functional.cross_entropy(net(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    right = answers(x_test) == y_test
    print("test accuracy", right.float().mean().item())
