# hint: The slope of k * w**2 / 2 is k * w.
# hint: One step: w = w - lr * k * w, against the slope.
# hint: Begin with w = 1.0, and repeat the step in a loop: for _ in range(steps).
"""Down a valley

Write place(lr, k, steps): where w is after so many steps of gradient descent at the rate lr in the valley
loss = k * w**2 / 2. It begins at w = 1.
"""


def place(lr, k, steps):
    w = 1.0
    for _ in range(steps):
        w = w - lr * k * w
    return w


def uphill(lr, k, steps):
    """That way leads up: the step goes against the slope, so it is subtracted."""
    return place(-lr, k, steps)


def height_for_slope(lr, k, steps):
    """You subtract the height, k * w**2 / 2; subtract the slope, k * w."""
    w = 1.0
    for _ in range(steps):
        w = w - lr * k * w**2 / 2
    return w


def without_k(lr, k, steps):
    """The steeper the valley, the longer the step: k is missing."""
    return place(lr, 1, steps)


def cases():
    yield 0.1, 2.0, 5
    yield 0.19, 10.0, 3
    yield 0.5, 1.0, 0
