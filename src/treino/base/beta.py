"""The distributions of Beta and of Student's t, without scipy, whose import takes a tenth of a second."""

import math
from functools import cache


def beta_below(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) that is below x, by a continued fraction (https://dlmf.nist.gov/8.17#v)."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below the mean
        return 1 - beta_below(1 - x, b, a)
    above, below = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = below
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            above, below = 1 + term / above, 1 / (1 + term * below)
            fraction *= above * below
        if abs(above * below - 1) < 1e-15:
            break
    return _density(x, a, b) * x * (1 - x) * fraction / a


@cache
def beta_point(share: float, a: float, b: float) -> float:
    """The point below which this share of Beta(a, b) is: Newton's steps between bounds."""
    low, high, x = 0.0, 1.0, a / (a + b)
    for _step in range(200):
        beyond = beta_below(x, a, b) - share
        low, high = (low, x) if beyond > 0 else (x, high)
        before, density = x, _density(x, a, b)
        x = x - beyond / density if density else low
        x = x if low < x < high else (low + high) / 2
        if abs(x - before) <= 1e-15 * x:
            break
    return x


def _density(x: float, a: float, b: float) -> float:
    power = (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)
    return math.exp(power + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))


def t_point(share: float, freedom: float) -> float:
    """The point below which this share, over a half, of Student's t is."""
    inside = beta_point(2 * share - 1, 0.5, freedom / 2)
    return math.sqrt(freedom * inside / (1 - inside))


def t_below(t: float, freedom: float) -> float:
    """The share of Student's t that is below t."""
    outside = beta_below(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return 1 - outside if t > 0 else outside
