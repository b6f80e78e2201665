"""A training that is given seconds: how many networks, when it ends, and what more would bring."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import refusal_of
from treino.folders.documents.reading import read_checkpoint
from treino.settings.spec import read_settings
from treino.training import choices
from treino.training.choices import Speed
from treino.training.loop import JobStart
from treino.training.train import Clock, resuming


def table(rows: int = 240) -> pd.DataFrame:
    r = np.random.default_rng(3)
    a, b = r.normal(size=rows), r.normal(size=rows)
    return pd.DataFrame({"a": a, "b": b, "price": 3 * a + np.abs(b) + r.normal(size=rows) / 10})


SHORT = {"target": "price", "epochs": 30, "hidden": (4,), "lean": True}


def fit(parent: Path, **settings: Any) -> tr.Run:
    run = tr.fit(table(), parent=parent, **SHORT | settings)
    assert isinstance(run, tr.Run)
    return run


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial of 10 seconds, by which eight networks would take 20 seconds; and no other clock."""
    monkeypatch.setattr(choices, "measured_speed", lambda *_args: Speed(8, 10.0, 20.0))
    monkeypatch.setattr(Clock, "spent", property(lambda clock: clock.seconds))


def steady(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """A clock that is so many seconds later at each look."""
    looks = iter(range(1, 10**9))
    monkeypatch.setattr(Clock, "spent", property(lambda _clock: next(looks) * seconds))


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("60", 60), (2.5, 2.5), ("90s", 90), ("1m30s", 90), ("1h", 3600), ("1h 2m", 3720), ("1.5min", 90)],
)
def test_seconds_are_read_as_people_write_them(typed: Any, seconds: float) -> None:
    assert read_settings({"time_limit": typed}).time_limit == seconds


@pytest.mark.parametrize(
    "typed", ["0", "-3", 0, "nan", float("nan"), "inf", "soon", "m", "1m30x", True, [60]]
)
def test_no_duration_is_refused(typed: Any) -> None:
    assert refusal_of(read_settings, {"time_limit": typed}).rule in ("time_limit_range", "time_limit_type")


def test_networks_of_their_own_have_no_time_limit(tmp_path: Path) -> None:
    for train in (
        lambda: tr.fit("iris", seeds=3, time_limit=5, parent=tmp_path),
        lambda: tr.sweep("iris", "lr=1e-3..1e-1:log", time_limit=5, parent=tmp_path),
    ):
        assert "time_limit" in str(refusal_of(train))


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize(("seconds", "members"), [(70, 20), (1000, 64), (25, 5), (14, 1), (12, 1), (1, 1)])
def test_as_many_networks_as_fit_are_those_of_a_run_that_asks_for_them(
    tmp_path: Path, seconds: float, members: int
) -> None:
    if members == 5:
        members = 4  # more than four come in fours
    asked = {"recipe": "table", "lr": 0.01, "time_limit": seconds}
    rows = tr.load(table(), target="price")
    of = choices.TrainingSource(table(), lambda _settings: rows, rows)
    settings = choices.choose_members(read_settings(asked), of)
    (reason,) = settings.reasons
    assert (settings.ensemble, settings.lr, of.seconds) == (members, 0.01, 10.0)
    assert settings.explicit == read_settings(asked | {"ensemble": members}).explicit
    assert ("too short" in reason) == (seconds < 14)
    assert f"{members}." in reason or "One is trained" in reason


@pytest.mark.usefixtures("speed")
def test_the_chosen_number_is_recorded_and_no_clock_is_needed_to_train_it_again(tmp_path: Path) -> None:
    limited, plain = fit(tmp_path, time_limit=35), fit(tmp_path, ensemble=8)
    assert limited.settings["ensemble"] == 8
    assert limited.spec.asked["ensemble"] == 8
    assert limited.document["seconds"] > 10  # with the trial
    kept, same = limited.module.state_dict(), plain.module.state_dict()
    assert all(torch.equal(kept[name], same[name]) for name in same)
    assert any("fit into 35 seconds: 8" in reason for reason in limited.document["reasons"])


def test_a_number_of_networks_that_is_asked_for_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(choices, "measured_speed")
    assert fit(tmp_path, ensemble=2, time_limit=1000).settings["ensemble"] == 2
    assert fit(tmp_path, recipe="plain", time_limit=1000).settings["ensemble"] == 1


@pytest.mark.parametrize("ensemble", [1, 3])
def test_the_limit_ends_a_training_whose_steps_can_be_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ensemble: int
) -> None:
    with monkeypatch.context() as patched:
        steady(patched, 1.0)
        patched.setattr("treino.training.train.CHUNK_SECONDS", 1e-9)  # few steps between two looks
        run = fit(tmp_path, ensemble=ensemble, epochs=100, patience=0, time_limit=12)
    document = run.document
    assert (document["status"], document["stopped_early"]) == ("finished", False)
    assert 0 < run.steps < 100 * run.spec.steps_per_epoch
    again = run.at(run.steps).net
    there = fit(tmp_path, ensemble=ensemble, epochs=100, patience=0).at(run.steps).net
    for name, value in again.state_dict().items():
        assert torch.equal(value, there.state_dict()[name])


def test_a_limit_too_short_for_one_evaluation_trains_up_to_it_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady(monkeypatch, 1e9)
    monkeypatch.setattr(choices, "measured_speed", lambda *_args: Speed(8, 10.0, 20.0))
    run = fit(tmp_path, time_limit=0.001)
    assert run.settings["ensemble"] == 1
    assert run.metrics["validation"] is not None
    assert run.steps < 30 * run.spec.steps_per_epoch
    assert any("too short" in note for note in run.document["notes"])


@pytest.mark.usefixtures("speed")
def test_a_resumed_run_has_the_seconds_that_are_left(tmp_path: Path) -> None:
    limit = {"time_limit": 35, "lean": False}
    whole = fit(tmp_path, **limit)

    def interrupt(event: Any) -> None:
        if isinstance(event, JobStart):
            event.job.stop_wish = "interrupted"

    with pytest.raises(KeyboardInterrupt):
        tr.fit(table(), parent=tmp_path / "part", watch=interrupt, **SHORT | limit)
    path = next((tmp_path / "part").iterdir())
    checkpoint = read_checkpoint(tr.open(path).folder)
    assert checkpoint[1]["clock"][0] == 10.0
    jobs = [event.job for event in resuming(path)]
    assert jobs[0].clock.seconds > 10
    there, here = tr.open(path).module.state_dict(), whole.module.state_dict()
    assert all(torch.equal(there[name], here[name]) for name in here)


class Looks:
    """A clock that is a hundredth of a second later at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 0.01
        return self.now


@pytest.mark.slow
def test_a_trial_takes_its_share_of_the_limit_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "time", Looks())
    data = tr.load(table(), target="price")
    settings = read_settings({"recipe": "table", "hidden": (4,), "epochs": 100_000, "patience": 0})
    found = choices.measured_speed(settings, data, 2.0)
    assert 0.2 <= found.seconds <= 0.25
    assert found.members == 8
    assert found.whole > 1  # it trained a small part
    short = settings.model_copy(update={"epochs": 1})
    assert choices.measured_speed(short, data, 2.0).whole <= 0.1  # it trained all
