# hint: Go from behind: dh = 2 * (h - y) is how much the loss grows with h.
# hint: tanh grows 1 - h**2 times as much as z: dz = dh * (1 - h**2).
# hint: z = w * x + b grows x times as much as w, and just as much as b: dw = dz * x, db = dz.
"""The gradient of one neuron

Write backward(x, y, w, b) by the chain rule from behind: how much the loss (tanh(w * x + b) - y)**2 grows with
w, and how much with b. It returns both, dw and db.
"""

from math import tanh


def backward(x, y, w, b):
    h = tanh(w * x + b)
    dh = 2 * (h - y)
    dz = dh * (1 - h**2)
    return dz * x, dz


def _scaled(x, y, w, b, dh=2.0, tanhs=True, by_x=True):
    h = tanh(w * x + b)
    dz = dh * (h - y) * ((1 - h**2) if tanhs else 1)
    return dz * x if by_x else dz, dz


def without_two(x, y, w, b):
    """The 2 of the square is missing: dh = 2 * (h - y)."""
    return _scaled(x, y, w, b, dh=1.0)


def tanh_left_out(x, y, w, b):
    """Between h and z lies tanh: dz = dh * (1 - h**2)."""
    return _scaled(x, y, w, b, tanhs=False)


def x_left_out(x, y, w, b):
    """db is right; dw is x times as much."""
    return _scaled(x, y, w, b, by_x=False)


def exchanged(x, y, w, b):
    """Both are right, in the other order: dw comes first."""
    return backward(x, y, w, b)[::-1]


def cases():
    import random

    draw = random.Random(0)
    yield 1.5, 1.0, 0.4, -0.2
    for _ in range(9):
        yield tuple(round(draw.uniform(-1.5, 1.5), 3) for _ in range(4))
