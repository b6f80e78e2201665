"""Exercise: the gradient of one neuron, by the chain rule from behind (lesson 21).

Complete the function and run this file:

    python backward.py

It compares your slopes with numerical ones at ten places.
"""

import random
from math import tanh


def forward(x, y, w, b):
    z = w * x + b
    h = tanh(z)
    return (h - y) ** 2


def backward(x, y, w, b):
    """How much the loss grows with w, and how much with b."""
    h = tanh(w * x + b)
    dh = None  # 1. the loss by h: (h - y) ** 2
    dz = None  # 2. times h by z: tanh grows 1 - h ** 2 times as much
    dw = None  # 3. times z by w: z = w * x + b
    db = None  # 4. dz times z by b
    return dw, db


def check(little=1e-5):
    draw = random.Random(0)
    for place in range(1, 11):
        x, y, w, b = (draw.uniform(-1.5, 1.5) for _ in range(4))
        by_w = (forward(x, y, w + little, b) - forward(x, y, w - little, b)) / (2 * little)
        by_b = (forward(x, y, w, b + little) - forward(x, y, w, b - little)) / (2 * little)
        for name, yours, right in zip(("dw", "db"), backward(x, y, w, b), (by_w, by_b)):
            if yours is None:
                return f"{name} is still None: complete the four lines of backward."
            if abs(yours - right) > 1e-6:
                where = f"x = {x:.3f}, y = {y:.3f}, w = {w:.3f}, b = {b:.3f}"
                return f"Place {place} ({where}): your {name} is {yours:.6f}, and it should be {right:.6f}."
    return "Right: all twenty slopes agree with the numerical ones."


if __name__ == "__main__":
    print(check())
