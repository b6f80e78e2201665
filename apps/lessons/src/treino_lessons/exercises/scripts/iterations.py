# hint: How many batches do 7 rows make in batches of 3? The last one may be short.
# hint: math.ceil rounds up: math.ceil(7 / 3) is 3.
# hint: return epochs * math.ceil(rows / batch_size)
"""How many iterations?

Write iterations(rows, batch_size, epochs): how many steps a training takes. In each epoch every row is seen
once; the last batch may be shorter than the others, and is not left out.
"""

import math


def iterations(rows, batch_size, epochs):
    return epochs * math.ceil(rows / batch_size)


def rounded_down(rows, batch_size, epochs):
    """The rows that fill no whole batch are left out: round up, by math.ceil."""
    return epochs * (rows // batch_size)


def rounded_at_the_end(rows, batch_size, epochs):
    """Each epoch ends with its own short batch: round up for an epoch, then multiply."""
    return math.ceil(epochs * rows / batch_size)


def one_epoch(rows, batch_size, epochs):
    """That is one epoch; there are several."""
    return math.ceil(rows / batch_size)


def one_more(rows, batch_size, epochs):
    """Where the rows fill all batches, that is one too many: math.ceil adds nothing then."""
    return epochs * (rows // batch_size + 1)


def cases():
    yield 1259, 100, 1
    yield 1259, 20, 8
    yield 100, 20, 3
    yield 7, 10, 2
    yield 10, 4, 2
