"""Networks shared out among processes are, to the bit, those that are trained together: whoever trains whom,
in whatever parts and order, and wherever it was interrupted."""

import itertools
import pickle
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from safetensors.torch import load_file
from tests.many_networks import study_events, sweep_events

from treino.folders.documents.reading import read_checkpoint
from treino.folders.store import RunFolder
from treino.settings.options import ClusterOptions
from treino.training.loop import JobEnd
from treino.training.sweeps import bracket, study, sweep
from treino.training.sweeps.population_training import PopulationTraining
from treino.training.sweeps.study import study_resumption
from treino.training.sweeps.sweep import sweep_resumption
from treino_cluster import distribution
from treino_cluster.cluster import SharedValue, TaskEnd, packed

SPACE = {
    "lr": "1e-3..30:log",  # some diverge
    "hidden": [(8,), (6, 5)],
    "dropout": [0.0, 0.2],
    "ema": [0.0, 0.9],
    "schedule": ["constant", "cosine"],
}
BASE = {"epochs": 12, "optimizer": "sgd", "momentum": 0.9, "threads": 1, "seed": 3}


class Processes:
    """A cluster in this process, whose machines come and go: a task runs when its end is asked for, in any
    order."""

    gpus = False

    def __init__(self, slots: int, seed: int) -> None:
        self.most, self.chance = slots, random.Random(seed)
        self.tickets, self.tasks, self.names = itertools.count(), dict[int, Any](), list[str]()
        self.trained: dict[int, set[int]] = {}

    @property
    def slots(self) -> int:
        return self.chance.randint(1, self.most)

    def share(self, value: Any) -> SharedValue:
        return SharedValue("rows", 0, pickle.dumps(value))

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        shared: Sequence[SharedValue] = (),
        name: str,
        processors: int = 1,
    ) -> int:
        ticket = next(self.tickets)
        if arguments[0].kind is PopulationTraining:  # of a sweep: no network is in two tasks at once
            members = set(arguments[0].fields["members"])
            assert not any(members & self.trained[other] for other in self.tasks)
            self.trained[ticket] = members
        self.tasks[ticket] = packed(function, *arguments), shared
        self.names.append(name)
        return ticket

    def ended(self, seconds: float) -> list[TaskEnd]:
        some = self.chance.sample(sorted(self.tasks), self.chance.randint(0, min(self.most, len(self.tasks))))
        found = []
        for ticket in some:
            call, shared = self.tasks.pop(ticket)
            function, arguments = pickle.loads(call)
            value = function(*arguments, *(pickle.loads(each.place) for each in shared))
            found.append(TaskEnd(ticket, pickle.loads(pickle.dumps(value)), 0.01, f"kind {ticket % 2}"))
        return found

    def cancel(self) -> None:
        self.tasks.clear()


def use(monkeypatch: pytest.MonkeyPatch, cluster: Processes | None) -> None:
    @contextmanager
    def opened(place: ClusterOptions) -> Iterator[Processes | None]:
        yield cluster if place.on is not None else None

    monkeypatch.setattr(distribution, "open_cluster", opened)


def contents(folder: Path) -> dict[str, Any]:
    """Everything that a sweep found, bit by bit."""
    rows = parquet.read_table(folder / "members.parquet").to_pylist()
    found: dict[str, Any] = {f"row {n}": repr(row) for n, row in enumerate(rows)}
    files = [folder / "models.safetensors", *folder.glob("rows/*"), *folder.glob("curves/*")]
    for file in files:
        for name, tensor in load_file(file).items():
            found[f"{file.name} {name}"] = tensor.shape, tensor.nan_to_num(nan=7e9).numpy().tobytes()
    return found


def swept(out: Path, strategy: str, patience: int, on: str | None = None, **more: Any) -> dict[str, Any]:
    asked = {"members": 13, "strategy": strategy, "fresh": 0, "settings": BASE | {"patience": patience}}
    place = ClusterOptions(on=on)
    events = sweep_events("iris", SPACE, out=out, place=place, top=5, **asked, **more)
    list(events)
    return contents(out)


Sweeps = Callable[[str, int], dict[str, Any]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Sweeps:
    """The sweep that one process trains, by strategy and patience, each once."""
    folder = tmp_path_factory.mktemp("together")
    return cache(lambda strategy, patience: swept(folder / f"{strategy}-{patience}", strategy, patience))


@pytest.mark.slow
@settings(max_examples=2)
@given(
    slots=st.integers(1, 7),
    seed=st.integers(0, 1000),
    strategy=st.sampled_from(["halving", "hyperband", "none"]),
    patience=st.sampled_from([0, 3]),
    task_seconds=st.sampled_from([0.002, 0.02, 4.0]),
)
def test_who_trains_whom_changes_no_bit(
    whole: Sweeps, tmp_path_factory: pytest.TempPathFactory, slots: int, seed: int, strategy: str,
    patience: int, task_seconds: float,
) -> None:  # fmt: skip
    folder, together = tmp_path_factory.mktemp("sweep"), whole(strategy, patience)
    with pytest.MonkeyPatch.context() as patch:
        cluster = Processes(slots, seed)
        use(patch, cluster)
        patch.setattr(distribution, "TASK_SECONDS", task_seconds)
        patch.setattr(distribution, "SHORTEST_TASK", task_seconds / 10)
        apart = swept(folder / "apart", strategy, patience, "ray")
    assert apart == together
    assert cluster.names[0].startswith("apart: ")


@pytest.mark.slow
@settings(max_examples=2)
@given(seed=st.integers(0, 1000), stop=st.integers(1, 40), again=st.sampled_from([None, "ray"]))
def test_what_was_interrupted_goes_on_with_a_cluster_or_without(
    whole: Sweeps, tmp_path_factory: pytest.TempPathFactory, seed: int, stop: int, again: str | None
) -> None:
    folder, together = tmp_path_factory.mktemp("sweep"), whole("halving", 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distribution, "TASK_SECONDS", 0.003)
        patch.setattr(distribution, "SHORTEST_TASK", 0.001)
        patch.setattr(bracket, "CHUNK_SECONDS", 0.002)
        use(patch, Processes(3, seed))
        looks = itertools.count()
        asked = sweep.SweepJob.stop_reason
        with pytest.MonkeyPatch.context() as early:
            early.setattr(
                sweep.SweepJob,
                "stop_reason",
                lambda job: "interrupted" if next(looks) == stop else asked(job),
            )
            torn = swept(folder / "torn", "halving", 3, "ray")
        *_events, end = (
            sweep_resumption(folder / "torn", place=ClusterOptions(on=again)) if torn != together else [None]
        )
    if isinstance(end, JobEnd):
        assert contents(folder / "torn") == together
        assert end.document["processors"]


@pytest.mark.parametrize("again", [None, pytest.param("ray", marks=pytest.mark.release)])
def test_a_population_that_was_interrupted_in_parts_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str | None
) -> None:
    def swept_alike(out: Path, on: str | None) -> None:
        asked = {"members": 9, "strategy": "none", "fresh": 0, "settings": BASE | {"epochs": 30}}
        for _event in sweep_events("iris", "lr=1e-3..1:log", out=out, place=ClusterOptions(on=on), **asked):
            pass

    monkeypatch.setattr(distribution, "TASK_SECONDS", 0.003)
    monkeypatch.setattr(distribution, "SHORTEST_TASK", 0.001)
    monkeypatch.setattr(bracket, "CHUNK_SECONDS", 0.002)
    use(monkeypatch, Processes(3, 4))
    swept_alike(tmp_path / "together", None)
    looks = itertools.count()
    with monkeypatch.context() as early:
        stop = {4: "interrupted"}
        early.setattr(sweep.SweepJob, "stop_reason", lambda _job: stop.get(next(looks)))
        swept_alike(tmp_path / "torn", "ray")
    checkpoint = read_checkpoint(RunFolder.open(tmp_path / "torn", verify=False))
    assert checkpoint is not None
    assert len(checkpoint[1]["state"]["populations"][0]["parts"]) > 1
    for _event in sweep_resumption(tmp_path / "torn", place=ClusterOptions(on=again)):
        pass
    assert contents(tmp_path / "torn") == contents(tmp_path / "together")


@pytest.mark.slow
def test_steps_to_a_target_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from treino.fit_events import FitRequest, fit_events

    found = []
    for name, on in (("together", None), ("apart", "ray")):
        use(monkeypatch, Processes(2, 0))
        shared = {"epochs": 20, "hidden": (8,), "out": str(tmp_path / name)}
        request = FitRequest("iris", shared, None, seeds=5, until="accuracy=0.8", place=ClusterOptions(on=on))
        *_events, end = fit_events(request)[0]
        found.append((end.document["reached"], end.document["figures"], contents(tmp_path / name)))
    assert found[0] == found[1]


# ---- studies

COMPARED: dict[str, Any] = {
    "batch_sizes": [8, 30],
    "cells": ["batch_size=10,normalise=False", "hidden=4,patience=2"],
    "until": "loss=0.5",
    "seeds": 2,
}


def untimed(document: Any) -> Any:
    """What a study found, without what depends on the clock and on where it trained."""
    timed = ("second", "timed", "warm", "command", "processors", "answers", "notes", "path")
    if isinstance(document, dict):
        return {k: untimed(v) for k, v in document.items() if not any(word in k for word in timed)}
    return [untimed(each) for each in document] if isinstance(document, list) else document


def studied(folder: Path, name: str, on: str | None = None) -> dict[str, Any]:
    shared = BASE | {"lr": 0.05, "hidden": (8,), "dropout": 0.2}
    *_events, end = study_events(
        "iris", settings=shared, parent=folder, name="study-" + name, place=ClusterOptions(on=on), **COMPARED
    )
    assert isinstance(end, JobEnd)
    return end.document


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The study that one process trains."""
    return studied(tmp_path_factory.mktemp("here"), "it")


@pytest.mark.slow
@settings(max_examples=2)
@given(slots=st.integers(1, 7), seed=st.integers(0, 1000), task_seconds=st.sampled_from([1e-6, 0.05, 4.0]))
def test_a_study_finds_the_same_wherever_its_networks_train(
    together: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, slots: int, seed: int,
    task_seconds: float,
) -> None:  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        cluster = Processes(slots, seed)
        use(patch, cluster)
        patch.setattr(distribution, "TASK_SECONDS", task_seconds)
        apart = studied(tmp_path_factory.mktemp("there"), "it", "ray")
    assert untimed(apart) == untimed(together)
    assert len(together["rows"]) == 4
    assert re.fullmatch(r"study-it: row \d, seed 3, epochs 1 to \d+", cluster.names[0])
    assert all(seed["processors"] for row in apart["rows"] for seed in row["seeds"])
    assert any("cluster" in note for note in apart["notes"])
    assert not any("cluster" in note for note in together["notes"])


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 9])
@pytest.mark.parametrize(("begun", "again"), [("ray", None), ("ray", "ray"), (None, "ray")])
@pytest.mark.sampled(3)
def test_an_interrupted_study_goes_on_with_a_cluster_or_without(
    together: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int, begun: str | None,
    again: str | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(distribution, "TASK_SECONDS", 1e-6)
    use(monkeypatch, Processes(3, stop))
    looks = itertools.count()
    with monkeypatch.context() as early:
        early.setattr(
            study.StudyJob, "stop_reason", lambda _job: "interrupted" if next(looks) == stop else None
        )
        torn = studied(tmp_path / "there", "it", begun)
    assert torn["status"] == "interrupted"
    *_events, end = study_resumption(tmp_path / "there/study-it", place=ClusterOptions(on=again))
    assert isinstance(end, JobEnd)
    assert untimed(end.document) == untimed(together)
