# hint: Weight decay adds decay * w to the slope, so that every weight is pulled towards 0.
# hint: Then the step is as always: against the slope, times lr.
# hint: return w - lr * (slope + decay * w)
"""A step with weight decay

Write step(w, slope, lr, decay): where a weight is after one step of SGD with weight decay, as PyTorch does it:
decay * w is added to the slope before the step.
"""


def step(w, slope, lr, decay):
    return w - lr * (slope + decay * w)


def without_decay(w, slope, lr, decay):
    """That is SGD without weight decay: the weight is not pulled towards 0."""
    return w - lr * slope


def pushed_away(w, slope, lr, decay):
    """That pushes the weight away from 0: mind the sign of decay * w."""
    return w - lr * (slope - decay * w)


def without_the_rate(w, slope, lr, decay):
    """The decay goes through the step, too: it is multiplied by lr."""
    return w - lr * slope - decay * w


def cases():
    yield 2.0, 0.0, 0.1, 0.5
    yield -1.0, 3.0, 0.1, 0.01
    yield 0.5, -2.0, 0.01, 5e-4
