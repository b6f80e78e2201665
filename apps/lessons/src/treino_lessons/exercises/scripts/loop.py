# hint: Before the loop: criterion = nn.CrossEntropyLoss(), and an optimizer with net.parameters() and lr.
# hint: In the loop, in this order: zero_grad, the answer and its loss, backward, step.
# hint: losses.append(loss.item()) keeps the number of each step; return losses after the loop.
"""The loop, from memory

Write train(net, x, y, lr, steps): it trains net with SGD at the rate lr for so many steps, all rows in each
step, with the loss CrossEntropyLoss, and returns the list of the losses, one for each step.
"""

import torch
from torch import nn


def train(net, x, y, lr, steps):
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _any(net, x, y, lr, steps, clear=True, step=True, after=False):
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        if clear:
            optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        if step:
            optimizer.step()
        losses.append(criterion(net(x), y).item() if after else loss.item())
    return losses


def summed(net, x, y, lr, steps):
    """From the second step on it goes by the sum of all gradients so far: optimizer.zero_grad() is missing."""
    return _any(net, x, y, lr, steps, clear=False)


def never_moved(net, x, y, lr, steps):
    """Each loss is the same: no weight moves. Which call moves them?"""
    return _any(net, x, y, lr, steps, step=False)


def measured_after(net, x, y, lr, steps):
    """These are the losses after each step; the first should be that of the network as it was."""
    return _any(net, x, y, lr, steps, after=True)


def use(function, net, x, y, lr, steps):
    return function(net, x, y, lr, steps)


def cases():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    yield net, torch.randn(20, 2), torch.arange(20) % 3, 0.1, 3
    torch.manual_seed(2)
    yield nn.Linear(2, 2), torch.randn(5, 2), torch.arange(5) % 2, 0.5, 4
