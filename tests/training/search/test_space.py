"""Spaces of settings: parsed from every text form; every fault in one is refused."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.settings.spec import OFF, read_settings
from treino.training.resolution import train_config
from treino.training.search.samplers import sampler
from treino.training.search.space import Choice, Dimension, Range, Space, read_space


def space(*texts: str) -> Space:
    return read_space(texts)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("lr=1e-4..1e-1:log", Range(1e-4, 1e-1, log=True)),
        ("lr = 0.5..1", Range(0.5, 1)),
        ("lr=0...5", Range(0, 0.5)),
        ("lr=-1..-.5", Range(-1, -0.5)),
        ("lr=1e-4..1e-1:log:7", Range(1e-4, 1e-1, log=True, levels=7)),
        ("batch_size=16..256:log", Range(16, 256, log=True, whole=True)),
        ("batch-size=16..256", Range(16, 256, whole=True)),
        ("hidden=16|64|64,32|none", Choice((16, 64, "64,32", "none"))),
        ("hidden=64,32", Choice(("64,32",))),
        ("optimizer=sgd|adam", Choice(("sgd", "adam"))),
        ("nesterov=true|False", Choice((True, False))),
        ("batch_size=32|full", Choice((32, "full"))),
        ("lr=1e-3", Choice((1e-3,))),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, domain: Range | Choice) -> None:
    (dimension,) = space(text).dimensions
    assert dimension.domain == domain


def test_a_mapping_says_the_same() -> None:
    given_: dict[str, Any] = {
        "lr": "1e-4..1e-1:log",
        "hidden": [(64, 32), 16],
        "batch_size": Range(16, 64),
        "optimizer": "sgd",
        "seed": 3,
    }
    domains = [d.domain for d in read_space(given_).dimensions]
    assert domains == [
        Range(1e-4, 1e-1, log=True), Choice(((64, 32), 16)), Range(16, 64, whole=True), Choice(("sgd",)),
        Choice((3,)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "rule", "word"),
    [
        ([], "space_empty", "lr="),
        (["lr"], "space_syntax", "'lr'"),
        (["lr="], "space_syntax", "hidden="),
        (["=3"], "space_syntax", "=3"),
        (["learning=1..2"], "space_unknown", "learning"),
        (["momentun=0..0.9"], "space_unknown", "momentum"),
        (["lr=1..2", "lr=3..4"], "space_twice", "a|b"),
        (["hidden=16|16"], "space_twice", "16"),
        (["hidden=16||32"], "space_empty", "single |"),
        (["lr=0.1..0.001"], "space_order", "0.1"),
        (["lr=0.1..0.1"], "space_order", "lr=0.1"),
        (["lr=0..1:log"], "space_log", "1e-6"),
        (["lr=-1..1:log"], "space_log", "-1"),
        (["lr=1..2:lin"], "space_syntax", "lin"),
        (["lr=1..x"], "space_syntax", "'x'"),
        (["lr=1..inf"], "space_syntax", "inf"),
        (["lr=1..2:1"], "space_levels", "lr=1"),
        (["batch_size=1.5..3"], "space_whole", "batch_size"),
        (["momentum=0..0.9 if optimizer=sgd"], "space_condition", "doesn't vary"),
        (["momentum=0..0.9 if optimiser=sgd", "optimizer=sgd|adam"], "space_condition", "optimizer"),
        (["momentum=0..0.9 if optimizer=sgdd", "optimizer=sgd|adam"], "space_condition", "never"),
        (["momentum=0..0.9 if lr=5", "lr=0..1"], "space_condition", "never"),
        (["momentum=0|1 if dropout=0", "dropout=0|1 if momentum=1"], "space_condition", "each other"),
        (["momentum=0|1 if momentum=1"], "space_condition", "each other"),
    ],
)
def test_what_can_not_be_is_refused_with_the_next_move(texts: list[str], rule: str, word: str) -> None:
    error = refusal_of(space, *texts)
    assert error.rule == rule
    assert word in str(error)


@pytest.mark.parametrize(
    ("given", "rule", "hint"),
    [
        ({"lr": "0.01,0.1"}, "space_comma", "'lr=0.01|0.1'"),
        ({"lr": "0.01, 0.1 ,1"}, "space_comma", "'lr=0.01|0.1|1'"),
        ({"lr": "0,01"}, "space_comma", "'lr=0|01'. Or write a decimal with a point: lr=0.01."),
        ({"batch_size": "16,32"}, "space_comma", "'batch_size=16|32'."),
        ({"optimizer": "sgd,adam"}, "space_comma", "'optimizer=sgd|adam'"),
        ({"lr": ["0.01,0.1", "1"]}, "space_comma", "'lr=0.01|0.1'"),
        ({"optimizer": "sgd|adam", "momentum": "0|1 if optimizer=sgd,adam"}, "space_comma", "sgd|adam"),
        (["lr=0.01..0.1 hidden=16|32"], "space_syntax", "hidden by itself"),
        (["lr=0.1|1, batch-size=16|32"], "space_syntax", "batch-size by itself"),
    ],
)
def test_commas_and_several_settings_in_one_text_are_refused(given: Any, rule: str, hint: str) -> None:
    error = refusal_of(read_space, given)
    assert error.rule == rule
    assert hint in error.hint


def test_a_list_has_commas() -> None:
    made = read_space(["hidden=64,32|16", "lr=0.1|1 if hidden=64,32"])
    assert [d.domain for d in made.dimensions] == [Choice(("64,32", 16)), Choice((0.1, 1))]


def test_a_condition_leaves_a_setting_out_whatever_the_order() -> None:
    texts = ["momentum=0..0.95 if optimizer=sgd|rms", "optimizer=sgd|adam|rms", "lr=1..2"]
    made = space(*texts)
    assert [d.name for d in made.dimensions] == ["optimizer", "momentum", "lr"]
    assert made.config([0.0, 0.5, 0.5]) == {"optimizer": "sgd", "momentum": 0.475, "lr": 1.5}
    assert made.config([0.4, 0.5, 0.5]) == {"optimizer": "adam", "lr": 1.5}
    nested = space("optimizer=sgd|adam", "momentum=0|1 if optimizer=sgd", "nesterov=true|false if momentum=1")
    assert len(nested.grid) == 4
    assert {"optimizer": "adam"} in nested.grid
    assert {"optimizer": "sgd", "momentum": 1, "nesterov": True} in nested.grid


def test_a_grid_has_every_combination_once() -> None:
    made = space("lr=1e-4..1e-1:log:4", "hidden=16|64", "batch_size=1..3")
    assert len(made.grid) == 24
    assert len({repr(c) for c in made.grid}) == 24
    assert [c["lr"] for c in made.grid[::6]] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1], rel=1e-12)
    assert made.grid[0] == {"lr": 1e-4, "hidden": 16, "batch_size": 1}
    assert [c["batch_size"] for c in space("batch_size=16..256:log:5").grid] == [16, 32, 64, 128, 256]
    with pytest.raises(TreinoError, match=r"lr=0\.1\.\.1:log:5"):
        _ = space("lr=0.1..1:log").grid


def test_what_is_finite_is_counted() -> None:
    assert len(space("seed=0..9", "hidden=16|64").every or ()) == 20
    assert space("seed=0..9", "lr=0..1").every is None
    assert space("seed=0..999999", "batch_size=1..2").every is None
    assert len(space("optimizer=sgd|adam", "momentum=0|1|2 if optimizer=sgd").every or ()) == 4


@st.composite
def conditional(draw: st.DrawFn) -> Space:
    """A space of up to five settings, each under some values of an earlier one or always there."""
    dimensions: list[Dimension] = []
    for name in ("a", "b", "c", "d", "e")[: draw(st.integers(1, 5))]:
        size = draw(st.integers(1, 3))
        domain = Range(0, size, whole=True) if draw(st.booleans()) else Choice(tuple(range(size)))
        when = draw(st.sampled_from([None, *dimensions]))
        if when is None:
            dimensions.append(Dimension(name, domain))
        else:
            values = getattr(when.domain, "integers", when.domain).values
            among = draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
            dimensions.append(Dimension(name, domain, when.name, tuple(among)))
    return Space(tuple(dimensions))


@given(conditional())
def test_the_count_is_that_of_the_different_networks(made: Space) -> None:
    grid = {repr(config) for config in made.grid}
    assert made.count == len(made.grid) == len(grid) == len(made.every or ())


def test_networks_are_counted_and_not_the_product_of_all_settings() -> None:
    texts = ["optimizer=sgd|adam|adamw", "lr=0..1:101 if optimizer=sgd", "dropout=0..1:101 if optimizer=adam",
             "weight_decay=0..1:101 if optimizer=adamw"]  # fmt: skip
    assert len(space(*texts).grid) == 303
    whole = [text.replace("0..1:101", "|".join(map(str, range(101)))) for text in texts]
    assert space(*whole).count == len(space(*whole).every or ()) == 303
    assert len(sampler("random", space(*whole)).ask(1000)) == 303  # each once
    with pytest.raises(TreinoError, match=r"1.030.301"):
        _ = space(*(text.partition(" if")[0] for text in texts[1:])).grid
    assert space("seed=0..4000000000", "lr=0|1 if seed=3|4").count == 4_000_000_003


@pytest.mark.parametrize("none", ["clip=none|0.5|1", "clip = None | 0.5|1", {"clip": [None, 0.5, 1]}])
def test_what_can_be_off_can_be_tried_without_it(none: Any) -> None:
    (clip,) = read_space([none] if isinstance(none, str) else none).dimensions
    assert clip.domain == Choice(("none", 0.5, 1))
    assert [read_settings({"clip": value}).clip for value in clip.domain.values] == [None, 0.5, 1]
    assert clip.text == "none|0.5|1"


def test_none_is_the_number_that_switches_a_setting_off() -> None:
    made = space("dropout=none|0.5", "patience=none|5 if dropout=none", "hidden=none|16")
    assert [d.domain.values for d in made.dimensions] == [(0, 0.5), (0, 5), ("none", 16)]
    assert made.dimensions[1].among == (0,)
    for name, value in OFF.items():
        assert getattr(read_settings({name: "none"}), name) == value
    for name in ("lr", "epochs", "optimizer", "batch_size"):
        with pytest.raises(TreinoError):
            train_config(read_settings({name: "none"}))


@given(
    st.floats(1e-8, 1e3), st.floats(1.0001, 1e6), st.floats(0, 1, exclude_max=True), st.booleans()
)  # fmt: skip
def test_every_point_lies_inside_and_the_scale_is_even(
    low: float, factor: float, u: float, log: bool
) -> None:
    domain = Range(low, low * factor, log=log)
    value = domain.at(u)
    assert low <= value <= low * factor
    place = math.log(value / low) / math.log(factor) if log else (value - low) / (low * factor - low)
    assert place == pytest.approx(u, abs=1e-6 if log else 1e-3)


@given(st.integers(-50, 50), st.integers(1, 60))
def test_integers_have_equal_shares_and_both_ends(low: int, width: int) -> None:
    domain = Range(low, low + width, whole=True)
    n = width + 1
    assert [domain.at((i + 0.5) / n) for i in range(n)] == list(range(low, low + width + 1))
    assert domain.at(0.0) == low
    assert domain.at(1 - 2**-53) == low + width
    logged = Range(1, 1 + width, log=True, whole=True)
    assert (logged.at(0.0), logged.at(1 - 2**-53)) == (1, 1 + width)


def test_arrays_and_ranges_are_lists_of_values() -> None:
    found = read_space({"lr": np.array([0.1, 0.01]), "hidden": range(4, 6), "seed": [np.int64(3)]})
    assert [d.domain.values for d in found.dimensions] == [(0.1, 0.01), (4, 5), (3,)]
    assert type(found.dimensions[2].domain.values[0]) is int
    json.dumps(found.to_json())
