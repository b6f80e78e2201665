# hint: nn.CrossEntropyLoss()(net(x), y) is the mean loss of some rows.
# hint: Compute it twice: for the rows of the training, and for those that the network has not seen.
# hint: The gap is the loss of the unseen rows minus that of the seen ones; item() makes a number of it.
"""How much of it is learned by heart?

Write gap(net, seen, unseen): by how much the mean cross-entropy of the unseen rows is above that of the seen
ones. seen and unseen are pairs (x, y) of inputs and classes; net gives logits.
"""

from torch import nn


def gap(net, seen, unseen):
    criterion = nn.CrossEntropyLoss()
    losses = [criterion(net(x), y) for x, y in (seen, unseen)]
    return (losses[1] - losses[0]).item()


def the_other_way(net, seen, unseen):
    """That is seen minus unseen: the gap of a network that learned by heart is above 0."""
    return -gap(net, seen, unseen)


def summed(net, seen, unseen):
    """Take the mean over the rows, not the sum: there may be more rows of one kind."""
    criterion = nn.CrossEntropyLoss(reduction="sum")
    return (criterion(net(unseen[0]), unseen[1]) - criterion(net(seen[0]), seen[1])).item()


def of_one_kind(net, seen, unseen):
    """That is the loss of the unseen rows alone: take that of the seen ones from it."""
    return nn.CrossEntropyLoss()(net(unseen[0]), unseen[1]).item()


def cases():
    import torch

    torch.manual_seed(0)
    for rows in (8, 30):
        net = nn.Linear(2, 3)
        yield net, (torch.randn(8, 2), torch.arange(8) % 3), (torch.randn(rows, 2), torch.arange(rows) % 3)
