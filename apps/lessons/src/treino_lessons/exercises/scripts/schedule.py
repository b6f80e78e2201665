# hint: step / steps is the part of the training that is done; math.pi times it is half a turn at the end.
# hint: math.cos falls from 1 to -1 on this way; 1 + math.cos(...) from 2 to 0.
# hint: return lr * (1 + math.cos(math.pi * step / steps)) / 2
"""A rate that gets smaller

Write rate(step, steps, lr): the rate at this step, which falls from lr at step 0 to 0 at step steps, as half a wave of a
cosine.
"""

import math


def rate(step, steps, lr):
    return lr * (1 + math.cos(math.pi * step / steps)) / 2


def a_line(step, steps, lr):
    """That is a straight line; half a wave is slow at both ends."""
    return lr * (1 - step / steps)


def a_quarter(step, steps, lr):
    """That is a quarter of a wave: it must go through half a turn, math.pi."""
    return lr * math.cos(math.pi / 2 * step / steps)


def below_zero(step, steps, lr):
    """The cosine ends at -1, and a rate must not be below 0: add 1, and halve."""
    return lr * math.cos(math.pi * step / steps)


def cases():
    yield 250, 1000, 0.5
    yield 1000, 1000, 0.5
    yield 0, 10, 0.1
