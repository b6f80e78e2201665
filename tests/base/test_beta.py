"""Beta, Student's t and the binomial against scipy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr, betainc, betaincinv, stdtr, stdtrit

from treino.base.beta import beta_below, beta_point, t_below, t_point

counts = st.floats(-1, 12).map(math.exp)
shares = st.floats(0.001, 0.999)


@given(counts, counts, shares)
def test_beta_is_scipys(a: float, b: float, share: float) -> None:
    assert beta_below(share, a, b) == pytest.approx(betainc(a, b, share), rel=1e-8, abs=1e-12)
    assert beta_below(beta_point(share, a, b), a, b) == pytest.approx(share, rel=1e-8)
    assert beta_point(share, a, b) == pytest.approx(betaincinv(a, b, share), rel=1e-7)


def test_beta_ends_at_0_and_1() -> None:
    assert [beta_below(x, 2, 3) for x in (-1, 0, 1, 2)] == [0, 0, 1, 1]


@given(st.integers(1, 10**6), st.floats(0.51, 0.999), st.floats(-30, 30))
def test_students_t_is_scipys(freedom: int, share: float, t: float) -> None:
    assert t_point(share, freedom) == pytest.approx(stdtrit(freedom, share), rel=1e-7)
    assert t_below(t, freedom) == pytest.approx(stdtr(freedom, t), rel=1e-7, abs=1e-200)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_tosses_of_a_coin_are_scipys(counted: tuple[int, int]) -> None:
    heads, tosses = counted
    wanted = bdtr(heads, tosses, 0.5)
    assert beta_below(0.5, tosses - heads, heads + 1) == pytest.approx(wanted, rel=1e-9, abs=1e-200)
