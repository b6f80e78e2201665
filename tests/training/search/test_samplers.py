"""Samplers: reproducible, without repeats, evenly spread where documented."""

from itertools import islice

import pytest
from scipy.stats import qmc

from treino.training.search.samplers import SAMPLERS, sampler
from treino.training.search.space import Space, read_space

MIXED = ["lr=1e-4..1e-1:log", "dropout=0..0.5", "hidden=16|64|64,32", "optimizer=sgd|adam",
         "momentum=0..0.95 if optimizer=sgd"]  # fmt: skip


def space(*texts: str) -> Space:
    return read_space(texts or MIXED)


@pytest.mark.parametrize("name", ["random", "sobol"])
def test_how_many_are_asked_for_at_once_changes_nothing(name: str) -> None:
    whole = sampler(name, space(), 7).ask(40)
    bit = sampler(name, space(), 7)
    assert bit.ask(1) + bit.ask(25) + bit.ask(14) == whole
    assert sampler(name, space(), 8).ask(40) != whole


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_finite_space_is_given_out_once_and_then_it_is_over(name: str) -> None:
    finite = space("hidden=16|64|32", "seed=0..4", "optimizer=sgd|adam", "momentum=0|0.9 if optimizer=sgd")
    made = sampler(name, finite, 1)
    first = made.ask(30)
    rest = made.ask(30)
    assert made.ask(5) == []
    assert len(first) == 30
    assert sorted(map(repr, first + rest)) == sorted(map(repr, finite.grid))


def test_sobol_points_fill_the_square_more_evenly_than_chance() -> None:
    square = space("lr=0..1", "dropout=0..1")
    points = {
        n: [[c["lr"], c["dropout"]] for c in sampler(n, square, 3).ask(256)] for n in SAMPLERS if n != "grid"
    }
    assert qmc.discrepancy(points["sobol"]) < qmc.discrepancy(points["random"]) / 10


def test_grid_goes_in_the_order_of_the_grid() -> None:
    small = space("hidden=16|64", "seed=0..2")
    assert sampler("grid", small).ask(4) == list(islice(small.grid, 4))
