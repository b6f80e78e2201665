"""Small runs, sweeps and studies with a checkpoint after every chunk: made, killed, resumed and compared."""

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from torch import Tensor

from treino.base import files
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder
from treino.settings.options import StudyOptions, SweepOptions, SweepPlan, read_options
from treino.settings.spec import read_settings
from treino.training import train
from treino.training.loop import JobEvent
from treino.training.sweeps import study, sweep
from treino.training.sweeps.request import StudyRequest, SweepRequest

KINDS = ("run", "sweep", "repeats", "study")
NAME = "small"
SETTINGS: dict[str, Any] = {"epochs": 2, "hidden": [5], "threads": 1, "seed": 3}
PACE = {
    "training.train.CHUNK_SECONDS": 0.0,
    "training.sweeps.bracket.CHUNK_SECONDS": 0.0,
    "training.sweeps.sweep.CHECKPOINT_SECONDS": 0.0,
    "training.sweeps.study.CHECKPOINT_SECONDS": 0.0,
    "training.loop.CHECKPOINT_SHARE": 0.0,
}
OPERATIONS = ("open", "write", "fsync", "rename", "mkdir", "unlink")
TIMES = (
    "spent",
    "clock",
    "answers",
    "run",
    "path",
    "warm_up_epochs",
    "timed_epochs",
    "model_steps_per_second",
)


@contextmanager
def frequent_checkpoints() -> Iterator[None]:
    """A checkpoint after each chunk of a step or so."""
    with ExitStack() as patches:
        for place, value in PACE.items():
            patches.enter_context(mock.patch(f"treino.{place}", value))
        yield


def new(kind: str, parent: Path) -> Iterator[JobEvent]:
    """Train a new one in ``parent/small``."""
    if kind == "run":
        settings = read_settings(SETTINGS | {"epochs": 6, "every": 8, "name": NAME})
        return train.train_events("wine", settings, parent=parent, checkpoint_seconds=0)
    if kind == "study":
        options = StudyOptions(batch_sizes=[60, 40])
        settings = SETTINGS | {"epochs": 4, "name": NAME}
        return study.study_events(StudyRequest("wine", settings, parent=parent, options=options))
    settings = {name: value for name, value in SETTINGS.items() if name != "seed"} | {"name": NAME}
    if kind == "sweep":
        settings["epochs"] = 10  # two rungs
        tried = SweepOptions(members=4, fresh=0, sampler="random", strategy="halving", eta=2)
        rates = ["lr=1e-3..1e-1:log"]
        return sweep.sweep_events(SweepRequest("wine", settings, space=rates, options=tried, parent=parent))
    plan = read_options(SweepPlan, {"spread": True})
    return sweep.sweep_events(SweepRequest("wine", settings, space=["seed=1|2"], options=plan, parent=parent))


def resumed(path: Path) -> Iterator[JobEvent]:
    """Go on with whatever lies there."""
    kind = RunFolder.open(path, verify=False).kind
    if kind == "run":
        return train.resuming(path, checkpoint_seconds=0)
    return sweep.sweep_resumption(path) if kind == "sweep" else study.study_resumption(path)


def drain(events: Iterable[JobEvent]) -> None:
    """Train to the end."""
    for _event in events:
        pass


def finish(begin: Callable[[Path], Iterator[JobEvent]], parent: Path) -> None:
    """Go on with what a killed process left in ``parent/small``, or begin anew by the same name."""
    try:
        drain(resumed(parent / NAME))
    except TreinoError as error:
        if error.rule in ("run_missing", "not_a_run", "ended_before_it_began"):
            drain(begin(parent))
        elif error.rule != "nothing_to_resume":
            raise


# ---- kills


@contextmanager
def before_each_write(call: Callable[[], None]) -> Iterator[None]:
    """Call it before every operation of the store on the disk. Nothing is synced: whoever is killed loses
    nothing of what the system has taken."""

    def operation(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def do(*arguments: Any) -> Any:
            call()
            return None if name == "fsync" else real(*arguments)

        return do

    with ExitStack() as patches:
        patches.enter_context(mock.patch("treino.folders.store.database._SYNCHRONOUS", "OFF"))
        for name in OPERATIONS:
            patches.enter_context(mock.patch.object(files, f"_{name}", operation(name)))
        yield


def writes(work: Callable[[], None]) -> int:
    """Do the work, and count its operations on the disk."""
    count = 0

    def add() -> None:
        nonlocal count
        count += 1

    with before_each_write(add):
        work()
    return count


def killed_at(work: Callable[[], None], place: int) -> bool:
    """Do the work in a fork that is killed (SIGKILL) before its operation ``place``; whether it got there.

    Raises:
        RuntimeError: it failed by itself.
    """
    pid = os.fork()
    if pid == 0:
        code, left = 1, place
        try:

            def count() -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            with before_each_write(count):
                work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _pid, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"what nobody killed failed, at operation {place}")
    return os.WIFSIGNALED(status)


# ---- what was computed


def computed(path: Path) -> dict[str, Any]:
    """All that an ended folder holds, by file, but for times and dates."""
    folder = RunFolder.open(path)
    found: dict[str, Any] = {"status": folder.status}
    for name in folder.manifest.files:
        if name.endswith(".json"):
            found[name] = _timeless(folder.read_json(name))
        elif name.endswith(".safetensors") and not name.startswith("checkpoint/"):
            tensors, facts = folder.read_tensors(name)
            found[name] = bits(tensors), _timeless(facts)
        elif not name.startswith(("checkpoint/", "run.sqlite")):
            found[name] = folder.read_bytes(name)
    kept = folder.last_checkpoint()
    found["checkpoint"] = None if kept is None else bits(kept[0])
    tables = folder.database
    found["losses"] = {n: tables.losses(n).tobytes() for n in tables.segments()}
    found["evaluations"] = [
        row for n in tables.segments() for row in tables.epochs(n) if row.metric != "seconds"
    ]
    if (path / "best" / "manifest.json").exists():
        found |= {f"best/{name}": value for name, value in computed(path / "best").items()}
    return found


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """The names under which two folders hold something else; NaN is equal to NaN."""
    return sorted(name for name in a.keys() | b.keys() if repr(a.get(name)) != repr(b.get(name)))


def bits(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Tensors by name, to be compared bit for bit."""
    return {name: (str(t.dtype), tuple(t.shape), t.numpy().tobytes()) for name, t in sorted(tensors.items())}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if "seconds" not in k and k not in TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def text(value: Any) -> str:
    """A document without times, as text that says every digit."""
    return json.dumps(_timeless(value), sort_keys=True)
