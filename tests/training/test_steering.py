"""Every way to steer a run, on every kind of run: what networks, of which rows, and how far it has come."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import treino as tr
from tests.conftest import refusal_of
from tests.reports.export_cases import mixed
from treino.data.readers import idx
from treino.fit_events import FitRequest, fit_events
from treino.folders.network_source import UserFiles
from treino.folders.timeline import segments_of
from treino.training.futures import FutureEnd, futures, usual_futures
from treino.training.loop import JobEnd, JobEvent, JobPause, JobStart

SET, MIDDLE = 5, 9  # the steps at which the learning rate became another one, and where a run was left
RATE = 0.004
NET = """
from torch import nn


def Net():
    return nn.Sequential(
        nn.Flatten(), nn.Linear({inputs}, 5), nn.ReLU(), nn.Dropout(0.1), nn.Linear(5, {outputs})
    )
"""
NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {"recipe": "plain", "hidden": (6,), "optimizer": "adam"},
    "recipe": {"recipe": "table", "ensemble": 1, "hidden": (6,)},
    "ensemble": {"recipe": "table", "ensemble": 4, "hidden": (6, 5)},
    "own": {"recipe": "plain", "net": "own.py:Net"},
    "own ensemble": {"recipe": "plain", "net": "own.py:Net", "ensemble": 3},
}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "table": ("houses.csv", {"target": "city"}),
    "two columns": ("houses.csv", {"target": "city", "features": ("area", "month")}),
    "images": ("fashion-mnist", {}),
    "regression": ("houses.csv", {"target": "price"}),
}
KINDS = [f"{net}, {rows}" for net in NETWORKS for rows in ROWS if (net, rows) != ("recipe", "images")]
KINDS += [f"{net}, {rows}, {state}" for net, rows in (("plain", "two columns"), ("ensemble", "regression"),
          ("own ensemble", "table")) for state in ("running", "interrupted")]  # fmt: skip
# Each kind of rows and each state, one network and several, a hand-written pass and autograd: the others put
# the same parts together in another way.
OFTEN = ("ensemble, regression, interrupted", "own, regression", "own ensemble, table, running")
CASES = [
    "plain, images",
    *OFTEN,
    *(
        pytest.param(kind, marks=pytest.mark.release)
        for kind in KINDS
        if kind not in ("plain, images", *OFTEN)
    ),
]


@dataclass
class Steered:
    """A run that was made by a training whose learning rate was set on the way, at SET.

    answers: what it gave for all training rows after so many steps, as the training itself has it.
    """

    path: Path
    network: str
    state: str
    answers: dict[int, Tensor] = field(default_factory=dict)

    def run(self) -> tr.Run:
        found = tr.open(self.path, trust=True)
        assert isinstance(found, tr.Run)
        return found

    @property
    def own(self) -> bool:
        return self.network.startswith("own")


class Place:
    """Where runs are made, each once; and how they are copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Steered] = {}
        self.streams: list[Iterator[JobEvent]] = []  # of runs that go on training
        mixed(90).to_csv(folder / "houses.csv", index=False)

    def kind(self, name: str) -> Steered:
        if name not in self.made:
            network, rows, *state = name.split(", ")
            self.made[name] = self._make(name.replace(", ", "-").replace(" ", "-"), network, rows, *state)
        return self.made[name]

    def _make(self, name: str, network: str, rows: str, state: str = "finished") -> Steered:
        source, asked = ROWS[rows]
        source = source if rows == "images" else str(self.folder / source)
        recipe = {"recipe": "plain"} if rows == "images" else {}  # the one for tables is of tables alone
        asked = {
            **NETWORKS[network],
            **recipe,
            **asked,
            "epochs": 7,
            "batch_size": 16,
            "keep": "last",
            "name": name,
        }
        if "net" in asked:
            data = tr.load(source, **ROWS[rows][1])
            own = self.folder / name / "own.py"
            own.parent.mkdir()
            own.write_text(NET.format(inputs=data.inputs, outputs=len(data.classes) or 1))
            asked["net"] = f"{own}:Net"
        request = FitRequest(source, asked, UserFiles(), parent=self.folder / "runs", lean=True)
        stream = fit_events(request)[0]
        begun = next(stream)
        assert isinstance(begun, JobStart)
        job: Any = begun.job
        job.checkpoint_seconds = 0.0
        made = Steered(job.folder.path, network, state)

        def up_to(step: int) -> None:
            training = job.training
            job.play_control.command("step", step - training.step, training.step, training.plan.count)
            while not isinstance(next(stream), JobPause):
                pass
            made.answers[step] = training.answer("last")(job.data.train.x.reshape(-1, *shape)).detach()

        shape = job.training.model.item_shape or (job.data.inputs,)
        up_to(SET)
        made.run().set("lr", RATE)
        up_to(MIDDLE)
        if state == "finished":
            job.play_control.command("play", None, MIDDLE, job.training.plan.count)
            assert isinstance(list(stream)[-1], JobEnd)
        elif state == "interrupted":  # as if the process had died: closed without a further word
            job.checkpoint()
            stream.close()
        else:
            job.folder.database.flush()
            self.streams.append(stream)
        return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("steering")
    images = folder / "fashion-mnist"
    images.mkdir()
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        for part, rows in (("train", 80), ("t10k", 20)):
            patch.setitem(idx.ROWS, part, rows)
            for kind, shape in (("images-idx3", (rows, 28, 28)), ("labels-idx1", (rows,))):
                head = b"".join(n.to_bytes(4, "big") for n in (0x800 + len(shape), *shape))
                pixels = rng.integers(0, 10, shape).astype(np.uint8)
                (images / f"{part}-{kind}-ubyte").write_bytes(head + pixels.tobytes())
        patch.setenv("TREINO_DATA", str(folder))
        patch.setattr("treino.training.train.CHUNK_SECONDS", 0.002)
        without = type("No", (), {"metrics": {}, "notes": ()})()
        patch.setattr("treino.training.completion.baselines", lambda *_args: without)
        yield Place(folder)


@pytest.fixture(scope="module", params=CASES)
def kind(request: pytest.FixtureRequest, place: Place) -> Steered:
    """A run of that kind, which no test changes."""
    return place.kind(request.param)


@pytest.fixture
def copied(kind: Steered, tmp_path: Path) -> Steered:
    """A copy of it; of one that is in training, its own folder."""
    if kind.state == "running":
        return kind
    path = Path(shutil.copytree(kind.path, kind.path.parents[1] / tmp_path.name / kind.path.name))
    return Steered(path, kind.network, kind.state, kind.answers)


def answer(net: torch.nn.Module, run: tr.Run) -> Tensor:
    shape = run.item_shape or (run.data.inputs,)
    with torch.no_grad():
        return net(run.data.train.x.reshape(-1, *shape))


def test_time_machine(kind: Steered) -> None:
    """Each step again is what the training had at it: its answers, its rate, its update by hand."""
    run = kind.run()
    for step, given in kind.answers.items():
        moment = run.at(step)
        assert torch.equal(answer(moment.net, run), given)
        assert moment.loss == run.losses[step - 1]
    assert run.at(0).loss is None
    if kind.state == "finished":
        assert torch.equal(answer(run.at(run.steps).net, run), answer(run.module, run))
    assert run.at(SET).hp["lr"] == RATE  # which was set, and holds from the next step on
    assert run.at(SET - 1).hp["lr"] != RATE
    if kind.state != "running":
        caught = refusal_of(run.set, "lr", 0.1)
        assert caught.rule == "not_running"
        assert "Resume it" in caught.hint
    pytest.importorskip("treino_microscope")
    page = tr.explain(run.settings["optimizer"], run, step=SET)
    assert page.holds


@pytest.mark.slow
def test_branch(copied: Steered) -> None:
    """A branch that changes nothing has the run's bits; one with another rate has its past."""
    run = copied.run()
    same = run.at(SET).branch(name=f"{run.name}-same")
    assert (same.status, len(same.losses)) == ("finished", same.steps)
    assert np.array_equal(same.losses[: len(run.losses)], run.losses)
    if copied.state == "finished":
        assert torch.equal(answer(same.module, run), answer(run.module, run))
    other = same.at(MIDDLE).branch(lr=0.02, batch_size=8, name=f"{run.name}-other")
    assert other.at(MIDDLE).hp["lr"] == 0.02
    assert np.array_equal(other.losses[:MIDDLE], run.losses[:MIDDLE])
    assert not np.array_equal(other.losses[MIDDLE + 2 :][:3], same.losses[MIDDLE + 2 :][:3])
    assert other.status == "finished"
    assert torch.equal(answer(tr.open(other.path, trust=True).module, run), answer(other.module, run))


@pytest.mark.slow
def test_rewind(copied: Steered) -> None:
    """Back to the start, on again, back to the middle, and a branch from the end of it all."""
    run = copied.run()
    if copied.state == "running":
        assert refusal_of(run.rewind, 0).rule == "run_busy"
        return
    losses = run.losses
    again = run.rewind(0, epochs=5)
    assert np.array_equal(again.losses[:SET], losses[:SET])
    assert (again.status, again.path) == ("finished", run.path)
    changed = again.rewind(MIDDLE, lr=0.02, optimizer="sgd", epochs=8)
    assert np.array_equal(changed.losses[:MIDDLE], again.losses[:MIDDLE])
    assert [s.start for s in segments_of(changed.spec)] == [0, 0, MIDDLE]
    more = changed.at(changed.steps).branch(epochs=10, name=f"{run.name}-more")
    assert np.array_equal(more.losses[: changed.steps], changed.losses)
    assert more.steps == len(more.losses) > changed.steps
    assert more.at(MIDDLE + 1).hp["lr"] == 0.02


@pytest.mark.slow
def test_fan(kind: Steered) -> None:
    """A future that changes nothing goes where the run went; there are futures of each usual kind."""
    run = kind.run()
    moment = run.at(SET)
    for usual in ("lr", "seed", "batch_size"):
        changes = [{}, *usual_futures(moment, usual, 3)]
        ends = [e for e in futures(moment, changes, MIDDLE - SET) if isinstance(e, FutureEnd)]
        assert sorted(end.future for end in ends) == list(range(len(changes)))
        there = run.member(moment.member).at(MIDDLE).net.state_dict()
        (same,) = (end.net.state_dict() for end in ends if end.future == 0)
        assert all(torch.equal(same[name], tensor) for name, tensor in there.items())


@pytest.mark.slow
def test_growth(copied: Steered) -> None:
    """More units and another layer; of a network of the user's own it is refused, with what can change."""
    run = copied.run()
    if copied.own:
        caught = refusal_of(run.at(SET).branch, hidden=(9,))
        assert caught.rule == "branch_setting"
        assert "its weights would not fit" in caught.message
        assert "batch_size" in caught.hint
        assert "hidden" not in caught.hint
        return
    before = run.at(SET)
    hidden = before.settings["hidden"]
    larger = [*(units + 2 for units in hidden), hidden[-1] + 2]
    grown = before.branch(hidden=larger, name=f"{run.name}-grown")
    assert (grown.status, list(grown.settings["hidden"])) == ("finished", larger)
    there, same = (each.member(before.member).at(SET).net for each in (run, grown))
    assert torch.allclose(answer(same, run), answer(there, run), atol=1e-4)
    again = grown.at(MIDDLE).branch(activation="tanh", lr=0.001, name=f"{run.name}-again")
    assert np.array_equal(again.losses[:MIDDLE], grown.losses[:MIDDLE])
    if copied.state != "running":
        smaller = run.rewind(SET, hidden=[units - 1 for units in hidden])
        assert smaller.status == "finished"
        assert torch.equal(answer(smaller.at(0).net, run), answer(grown.at(0).net, run))
