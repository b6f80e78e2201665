# hint: backward adds to .grad; what is the second number, if nothing is cleared between 3 and 5?
# hint: Keep one number, grad, from call to call: grad = grad + slope.
# hint: With clear, set grad = 0.0 at the beginning of each turn of the loop.
"""What stands in .grad?

Write gradients(slopes, clear): the numbers that stand in .grad after each call of backward, as a list. slopes
is the list of the slopes that the calls find. clear says whether zero_grad is called before each of them.
"""


def gradients(slopes, clear):
    found, grad = [], 0.0
    for slope in slopes:
        if clear:
            grad = 0.0
        grad = grad + slope
        found.append(grad)
    return found


def always_cleared(slopes, clear):
    """This is right with zero_grad; without it each slope is added to those before."""
    return [float(slope) for slope in slopes]


def turned_round(slopes, clear):
    """It is the other way round: with clear nothing is left of the calls before."""
    return gradients(slopes, not clear)


def total(slopes, clear):
    """That is one number, the last; the list has one number for each call."""
    return gradients(slopes, clear)[-1]


def cases():
    yield [3.0, 5.0, 2.0], True
    yield [3.0, 5.0, 2.0], False
    yield [1.5, -1.0, 0.25, 4.0], False
    yield [], True
