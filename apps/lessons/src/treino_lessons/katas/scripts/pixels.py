# expect: softmax_before_cross_entropy @ 36
# mend: 35 →     nn.Linear(64, 10),
# mend: 36 →
# place: 1.2
# goal: 0.85
# ask: What does the loss do first with the numbers that it is given?
"""Ten symbols in 36 pixels: a loss with a floor.

In the lesson the loss of ten classes came below 1.6, and that was called a success. Rafa's loss
creeps from 2.3 to 2.0, and half of the symbols are wrong. Whoever trains it longer, or by
Adam, sees it fall further, but nobody has ever seen it below 1.46.
"""

import torch
from torch import nn

torch.manual_seed(0)


def draw(n, seed):
    # pictures of ten symbols, with noise
    symbols = torch.rand(10, 36, generator=torch.Generator().manual_seed(77)).round()
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(10, (n,), generator=generator)
    return symbols[y] + 0.9 * torch.randn(n, 36, generator=generator), y


x, y = draw(1000, seed=1)
x_test, y_test = draw(500, seed=2)
# ---- the task ends here: what stands above stays as it is ----

net = nn.Sequential(
    nn.Linear(36, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
    nn.Softmax(dim=1),
)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()

for epoch in range(12):
    order = torch.randperm(len(x))
    for rows in order.split(50):
        optimizer.zero_grad()
        loss = criterion(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", round(loss.item(), 3))


def answers(rows):
    return net(rows).argmax(1)


with torch.no_grad():
    print("test accuracy", (answers(x_test) == y_test).float().mean().item())
