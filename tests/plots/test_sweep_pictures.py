"""The numbers behind a sweep's pictures, and that every picture is drawn of every kind of sweep."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text
from pydantic import TypeAdapter

from tests.conftest import Treino
from tests.plots.room import outside, overlapping
from treino.folders.documents.sweep import SpaceEntries
from treino.plots.sweep import parallel_figure, slices_figure
from treino.training.search.judge import density, seen, setting_importance

RANGE = {"low": 1e-4, "high": 1e-1, "log": True, "whole": False, "levels": None}
SPACE: dict[str, Any] = {
    "lr": RANGE,
    "hidden": {"values": [[8], "16,8", "none"]},
    "momentum": RANGE | {"low": 0.0, "high": 0.9, "log": False, "if": "optimizer", "among": ["sgd"]},
}


def entries(space: dict[str, Any]) -> SpaceEntries:
    """The space as a folder's document holds it."""
    return TypeAdapter(SpaceEntries).validate_python(space)


def rows(count: int, of: Callable[[int, dict[str, Any]], float | None]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    found = []
    for member in range(count):
        config = {
            "lr": float(10 ** rng.uniform(-4, -1)),
            "hidden": ["8", "16,8", "none"][member % 3],
            "momentum": None if member % 2 else float(rng.uniform(0, 0.9)),
        }
        best = of(member, config)
        status = "diverged" if best is None else "finished"
        found.append({"member": member, "rung": 0, "best": best, "status": status, **config})
    return found


def test_places_on_axes() -> None:
    s = seen("s", rows(6, lambda m, _c: None if m == 2 else float(m)), entries(SPACE), "loss", -1.0)
    lr, hidden, momentum = s.settings
    assert [t for _p, t in lr.ticks] == ["0.0001", "0.001", "0.01", "0.1"]
    assert [p for p, _t in lr.ticks] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert hidden.place_M.tolist() == [0, 0.5, 1, 0, 0.5, 1]
    assert np.isnan(momentum.place_M).tolist() == [False, True] * 3
    assert s.order.tolist() == [0, 1, 3, 4, 5, 2]
    better = seen("s", rows(6, lambda m, _c: float(m)), entries(SPACE), "accuracy", 1.0)
    assert better.order.tolist() == [5, 4, 3, 2, 1, 0]


@pytest.mark.slow
def test_the_setting_that_decides_is_found_and_noise_is_not() -> None:
    s = seen("s", rows(80, lambda _m, c: abs(np.log10(c["lr"]) + 2.5)), entries(SPACE), "loss", -1.0)
    found = setting_importance(s)
    assert found.names[0] == "lr"
    assert found.explained > 0.8
    assert found.drop_KR[0].mean() > 5 * abs(found.drop_KR[1:].mean())
    noise = np.random.default_rng(1).normal(size=80)
    by_chance = seen("s", rows(80, lambda m, _c: float(noise[m])), entries(SPACE), "loss", -1.0)
    nothing = setting_importance(by_chance)
    assert nothing.explained < 0.2
    few = seen("s", rows(5, lambda m, _c: float(m)), entries(SPACE), "loss", -1.0)
    assert setting_importance(few) is None


def test_a_density_counts_every_network_up_to_its_last_look() -> None:
    one = ([0, 1], [1, 2, 3], np.array([[1.0, 0.8], [0.6, 0.9], [0.5, np.nan]]))
    other = ([2], [2, 3], np.array([[0.7], [0.65]]))
    d = density([one, other], 0, -1.0)
    assert d.epoch_E.tolist() == [1, 2, 3]
    assert d.count_GE.sum(0).tolist() == [2, 3, 2]
    assert d.best_E.tolist() == [1.0, 0.6, 0.5]
    assert d.median_E.tolist() == pytest.approx([0.9, 0.7, 0.575])
    assert density([], 0, -1.0) is None
    assert density([([0], [1], np.array([[np.nan]]))], 0, -1.0) is None


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        (("moons", "--space", "hidden=4|8,4", "--space", "lr=1e-3..1e5:log", "--optimizer", "sgd"), 5),
        (("wine", "--space", "momentum=0..0.9 if optimizer=sgd", "--space", "optimizer=sgd|adam"), 5),
        (("diabetes", "--space", "seed=0..99"), 4),
    ],
)
@pytest.mark.release
def test_every_picture_of_a_sweep(treino: Treino, words: tuple[str, ...], drawn: int) -> None:
    treino("sweep", *words, "--members", 12, "--epochs", 10, "--fresh", 0, "--name", "s")
    paths = treino("plot", "s", "--json").document["paths"]
    assert len(paths) == drawn
    again = treino("plot", "s", "--to", "other", "--json").document["paths"]
    for one, other in zip(paths, again, strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()
    assert treino("plot", "s", "--what", "slice", "--json").document["error"]["rule"] == "picture_unknown"


WIDE = SPACE | {
    "weight_decay": SPACE["lr"],
    "label_smoothing": SPACE["lr"],
    "batch_size": RANGE | {"low": 16, "high": 65536, "log": False, "whole": True},
    "hidden": {"values": [[4], "16,16", "128,128,64,32", "none"]},
}


@pytest.mark.slow
def test_no_word_of_many_settings_is_cut_or_stands_on_another() -> None:
    space = WIDE
    found = rows(60, lambda m, _c: None if m == 2 else 42_232.0 + 1e5 * m)
    for row in found:
        choice = row["member"] % len(space["hidden"]["values"])
        row["hidden"] = space["hidden"]["values"][choice]
        row["weight_decay"] = row["label_smoothing"] = row["lr"]
        row["batch_size"] = 16 + 100 * row["member"]
    s = seen("s", found, entries(space), "rmse", -1.0)
    for figure in (parallel_figure(s), slices_figure(s)):
        assert outside(figure) == []
        assert not any("…" in t.get_text() for t in figure.findobj(Text))
    assert overlapping(slices_figure(s)) == []
    names = {setting.name for setting in s.settings} | {"rmse"}
    on_axes = {t.get_text().replace("\n", " ") for t in parallel_figure(s).axes[0].texts}
    assert {name.replace("_", " ") for name in names} <= on_axes
    assert "128,128,64,32" in on_axes


@pytest.mark.slow
def test_of_equal_settings_none_is_called_important(treino: Treino) -> None:
    treino("train", "wine", "--seeds", 12, "--epochs", 2, "--name", "s")
    names = [Path(path).stem for path in treino("plot", "s", "--json").document["paths"]]
    assert "importance" not in names
    assert "curves" in names
