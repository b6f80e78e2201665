"""Exercício: o gradiente de um neurônio, pela regra da cadeia de trás para a frente (lição 21).

Complete a função e rode este arquivo:

    python backward.py

Ele compara as suas inclinações com as numéricas em dez lugares.
"""

import random
from math import tanh


def forward(x, y, w, b):
    z = w * x + b
    h = tanh(z)
    return (h - y) ** 2


def backward(x, y, w, b):
    """Quanto a perda cresce com w e quanto cresce com b."""
    h = tanh(w * x + b)
    dh = None  # 1. a perda por h: (h - y) ** 2
    dz = None  # 2. vezes h por z: tanh cresce 1 - h ** 2 vezes tanto
    dw = None  # 3. vezes z por w: z = w * x + b
    db = None  # 4. dz vezes z por b
    return dw, db


def check(little=1e-5):
    draw = random.Random(0)
    for place in range(1, 11):
        x, y, w, b = (draw.uniform(-1.5, 1.5) for _ in range(4))
        by_w = (forward(x, y, w + little, b) - forward(x, y, w - little, b)) / (2 * little)
        by_b = (forward(x, y, w, b + little) - forward(x, y, w, b - little)) / (2 * little)
        for name, yours, right in zip(("dw", "db"), backward(x, y, w, b), (by_w, by_b)):
            if yours is None:
                return f"{name} ainda é None: complete as quatro linhas de backward."
            if abs(yours - right) > 1e-6:
                where = f"x = {x:.3f}, y = {y:.3f}, w = {w:.3f}, b = {b:.3f}"
                return f"Lugar {place} ({where}): o seu {name} é {yours:.6f} e deveria ser {right:.6f}."
    return "Certo: as vinte inclinações são iguais às numéricas."


if __name__ == "__main__":
    print(check())
