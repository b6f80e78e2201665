# hint: Keep two things: the lowest loss so far, and how many epochs ago it was.
# hint: A lower loss sets the count back to 0; otherwise add 1.
# hint: When the count reaches patience, return the number of epochs up to here; after the loop, len(losses).
"""When does the training stop?

Write stops_after(losses, patience): after how many epochs early stopping ends a training. losses has the validation
loss of each epoch. It stops as soon as patience epochs in a row have not been lower than the lowest one before
them; if that never happens, it goes through all.
"""


def stops_after(losses, patience):
    lowest, waited = float("inf"), 0
    for epochs, loss in enumerate(losses, 1):
        waited = 0 if loss < lowest else waited + 1
        lowest = min(loss, lowest)
        if waited == patience:
            return epochs
    return len(losses)


def never_set_back(losses, patience):
    """A lower loss must set the count back to 0: the epochs have to come in a row."""
    lowest, waited = float("inf"), 0
    for epochs, loss in enumerate(losses, 1):
        waited += loss >= lowest
        lowest = min(loss, lowest)
        if waited == patience:
            return epochs
    return len(losses)


def than_the_one_before(losses, patience):
    """You compare with the epoch before; compare with the lowest loss so far."""
    waited = 0
    for at in range(1, len(losses)):
        waited = 0 if losses[at] < losses[at - 1] else waited + 1
        if waited == patience:
            return at + 1
    return len(losses)


def the_best(losses, patience):
    """That is the epoch of the lowest loss; the training goes on for patience epochs after it."""
    return losses.index(min(losses)) + 1


def cases():
    yield [1.0, 0.7, 0.8, 0.6, 0.7, 0.65, 0.9, 0.8], 3
    yield [1.0, 0.9, 0.8], 2
    yield [0.5, 0.6, 0.55, 0.54, 0.53], 2
