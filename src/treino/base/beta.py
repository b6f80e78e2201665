"""The distributions of Beta and of Student's t; scipy, whose import takes a tenth of a second, when asked."""

from functools import cache


def beta_below(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) that is below x."""
    from scipy.special import betainc

    return float(betainc(a, b, min(max(x, 0.0), 1.0)))


@cache
def beta_point(share: float, a: float, b: float) -> float:
    """The point below which this share of Beta(a, b) is."""
    from scipy.special import betaincinv

    return float(betaincinv(a, b, share))


def t_point(share: float, freedom: float) -> float:
    """The point below which this share of Student's t is."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def t_below(t: float, freedom: float) -> float:
    """The share of Student's t that is below t."""
    from scipy.special import stdtr

    return float(stdtr(freedom, t))
