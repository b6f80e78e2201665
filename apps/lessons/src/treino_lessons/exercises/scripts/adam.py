# hint: V = b1 * V + (1 - b1) * g is the mean of past slopes, S = b2 * S + (1 - b2) * g**2 that of their squares.
# hint: Correct copies, with t from 1 on: V / (1 - b1**t) and S / (1 - b2**t). V and S stay as they are.
# hint: w = w - lr * copy_of_V / (copy_of_S ** 0.5 + 1e-8)
"""Adam, as the paper has it

Write adam(slopes, lr): where a weight that begins at w = 0 is after each step, as a list. slopes are the slopes
that it meets, one for each step. b1 = 0.9, b2 = 0.999 and eps = 1e-8.
"""


def adam(slopes, lr):
    b1, b2, eps = 0.9, 0.999, 1e-8
    w, V, S, places = 0.0, 0.0, 0.0, []
    for t, g in enumerate(slopes, 1):
        V = b1 * V + (1 - b1) * g
        S = b2 * S + (1 - b2) * g**2
        w = w - lr * (V / (1 - b1**t)) / ((S / (1 - b2**t)) ** 0.5 + eps)
        places.append(w)
    return places


def not_corrected(slopes, lr):
    """The correction is missing: V and S begin at 0, so at first both are too small. Divide by 1 - b**t."""
    w, V, S, places = 0.0, 0.0, 0.0, []
    for g in slopes:
        V, S = 0.9 * V + 0.1 * g, 0.999 * S + 0.001 * g**2
        w = w - lr * V / (S**0.5 + 1e-8)
        places.append(w)
    return places


def corrected_in_memory(slopes, lr):
    """The correction adds up from step to step, because you keep it in V and S: correct copies."""
    w, V, S, places = 0.0, 0.0, 0.0, []
    for t, g in enumerate(slopes, 1):
        V, S = (0.9 * V + 0.1 * g) / (1 - 0.9**t), (0.999 * S + 0.001 * g**2) / (1 - 0.999**t)
        w = w - lr * V / (S**0.5 + 1e-8)
        places.append(w)
    return places


def uphill(slopes, lr):
    """The step goes against the slope: w - lr * ..."""
    return [-place for place in adam(slopes, lr)]


def cases():
    yield [4.0, 2.0, -1.0, 0.5], 0.1
    yield [1.0] * 5, 0.01
