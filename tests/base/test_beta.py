"""Beta and Student's t against printed tables and closed forms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treino.base.beta import beta_below, beta_point, t_below, t_point


def test_beta_ends_at_0_and_1() -> None:
    assert [beta_below(x, 2, 3) for x in (-1, 0, 1, 2)] == [0, 0, 1, 1]


@given(st.floats(0.1, 40), st.floats(0.001, 0.999))
def test_beta_of_one_is_a_power(a: float, share: float) -> None:
    assert beta_below(share, a, 1) == pytest.approx(share**a, rel=1e-9)
    assert beta_point(share, a, 1) == pytest.approx(share ** (1 / a), rel=1e-9)


def test_students_t_is_that_of_printed_tables() -> None:
    assert [round(t_point(0.975, freedom), 3) for freedom in (1, 5, 30)] == [12.706, 2.571, 2.042]
    assert t_below(1, 1) == pytest.approx(0.5 + math.atan(1) / math.pi)
