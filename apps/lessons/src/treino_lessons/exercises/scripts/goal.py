# hint: enumerate(losses, 1) counts the epochs from 1 on.
# hint: Return the number at once where the loss is below the goal: < and not <=.
# hint: return None stands after the loop, not in it.
"""After how many epochs is the loss below the goal?

Write epochs_below(losses, goal), as the course asks of its batches: losses is a list, whose first number is the
mean loss of the first epoch. Return after how many epochs the loss is below goal for the first time, or None.
"""


def epochs_below(losses, goal):
    for epochs, loss in enumerate(losses, 1):
        if loss < goal:
            return epochs
    return None


def counted_from_zero(losses, goal):
    """You count from 0; after the first epoch it is 1."""
    found = epochs_below(losses, goal)
    return found and found - 1


def at_most(losses, goal):
    """A loss that equals the goal is not below it: < and not <=."""
    return next((n for n, loss in enumerate(losses, 1) if loss <= goal), None)


def the_lowest(losses, goal):
    """That is the epoch of the lowest loss; the first one below the goal is wanted."""
    return losses.index(min(losses)) + 1


def cases():
    yield [1.86, 1.6, 1.62, 1.59, 1.55, 1.57], 1.6
    yield [2.12, 2.36, 2.36], 1.6
    yield [0.34, 0.16], 1.6
