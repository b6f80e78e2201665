"""Folders of every kind with one value forged, and what each verb makes of them.

Every digest is made anew, as whoever mails a folder can do. No verb may execute what stands there, write
outside of the folder and of what it was asked to write, end in a traceback, wait for ever, or fill memory.
"""

import copy
import json
import os
import resource
import runpy
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.optim import optimizer as optimizers

import treino as tr
from tests import many_networks
from tests.waiting import Hangs, no_hang
from tests.workflows.test_resume import in_a_child
from treino.cli import main
from treino.cli.screen import Screen
from treino.engine import TrainingLoop
from treino.settings.spec import read_settings
from treino.training.train import drain, train_events

RUN = {"epochs": 6, "hidden": [5], "every": 10, "features": ["alcohol", "hue"]}
CSV = "size,city,day,price\n" + "".join(
    f"{i % 9}.5,{'abc'[i % 3]},2024-0{i % 8 + 1}-11,{i * 3 % 17}\n" for i in range(60)
)
GIGABYTES = 2
OF_A_RUN = (
    "runs",
    "show run",
    "show run other",
    "plot run --what curves,confusion",
    "plot run --what network",
    "report run --markdown",
    "report run other --markdown",
    "report run --to page.html",
    "predict run rows.csv --to predictions.csv",
    "export run --format safetensors",
    "export run",
    "explain adam run",
    "doctor run",
    "resume run",
    "train --like run --name new",
    "train wine --weights run --features alcohol,hue --hidden 5 --epochs 1 --name new",
    "train --branch run:3 --epochs 7 --name new",
    "train --rewind run:3 --epochs 7",
)
OF_A_SWEEP = (
    "runs",
    "show run",
    "show run:0",
    "plot run",
    "report run --markdown",
    "report run --to page.html",
    "predict run rows.csv --to predictions.csv",
    "predict run rows.csv --top 2",
    "export run",
    "explain adam run",
    "resume run",
    "train --like run:0 --name new",
    "plot run:0 --what boundary",
)
OF_A_STUDY = ("runs", "show run", "plot run", "report run", "resume run")
UNFINISHED = ("runs", "show run", "plot run --what curves", "report run --markdown", "resume run")


def swept(name: str) -> Iterator[Any]:
    asked = {"members": 3, "fresh": 0, "sampler": "random", "strategy": "none"}
    settings = {"epochs": 3, "threads": 1, "hidden": [5]}
    return many_networks.sweep_events("wine", ["lr=1e-3..1e-1:log"], name=name, settings=settings, **asked)


def studied(name: str) -> Iterator[Any]:
    settings = {"epochs": 3, "threads": 1, "hidden": [5]}
    return many_networks.study_events("wine", batch_sizes=[60, 20], settings=settings, name=name)


def killed(events: Callable[[str], Iterator[Any]], after: int) -> None:
    """Make runs/run in a process that dies after so many events."""

    def work() -> None:
        for number, _event in enumerate(events("run")):
            if number == after:
                os.kill(os.getpid(), signal.SIGKILL)

    _pid, status = os.waitpid(in_a_child(work), 0)
    assert os.WIFSIGNALED(status)


def table() -> str:
    from sklearn.datasets import load_wine

    return str(load_wine(as_frame=True).data.head(3).to_csv(index=False))


def branched(place: Path) -> None:
    tr.fit("wine", name="other", **RUN).at(10).branch(lr=1e-3, epochs=7, name="run")


def grown(place: Path) -> None:
    changes = {"hidden": [7, 4], "batch_size": 25, "epochs": 7, "optimizer": "sgd", "seed": 3}
    tr.fit("wine", name="other", **RUN).at(10).branch(**changes, name="run")


def of_a_file(place: Path) -> None:
    (place / "t.csv").write_text(CSV)
    tr.fit("t.csv", target="price", name="run", hidden=[5], epochs=4, task="regression")


def of_arrays(place: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    tr.fit((x, (x[:, 0] > 0).astype(int)), name="run", hidden=[5], epochs=4)


def of_seeds(place: Path) -> None:
    words = "train wine --seeds 2 --epochs 2 --hidden 5 --until accuracy=0.5 --name run"
    assert main(words.split()) == 0


def trained(name: str) -> Iterator[Any]:
    return train_events("wine", read_settings(RUN | {"name": name}), checkpoint_seconds=0)


MAKERS: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "run": (lambda place: [drain(trained("run")), drain(trained("other"))], OF_A_RUN),
    "branch": (branched, OF_A_RUN),
    "grown branch": (grown, OF_A_RUN),
    "file": (of_a_file, OF_A_RUN),
    "arrays": (of_arrays, OF_A_RUN),
    "sweep": (lambda place: list(swept("run")), OF_A_SWEEP),
    "seeds": (of_seeds, OF_A_SWEEP),
    "study": (lambda place: list(studied("run")), OF_A_STUDY),
    "killed run": (lambda place: killed(trained, 5), UNFINISHED),
    "killed sweep": (lambda place: killed(swept, 5), UNFINISHED),
    "killed study": (lambda place: killed(studied, 5), UNFINISHED),
}


Made = Callable[[str], Path]


def make(base: str, place: Path) -> None:
    """``runs/run`` in ``place``, of that kind."""
    patch = pytest.MonkeyPatch()
    place.mkdir(parents=True)
    patch.chdir(place)
    for module in ("train", "sweeps.bracket"):
        patch.setattr(f"treino.training.{module}.CHUNK_SECONDS", 0.0)
    for module in ("sweeps.sweep", "sweeps.study"):
        patch.setattr(f"treino.training.{module}.CHECKPOINT_SECONDS", 0.0)
    patch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0.0)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            MAKERS[base][0](place)
    finally:
        patch.undo()
    (place / "rows.csv").write_text("size,city,day\n1.5,a,2024-01-02\n" if base == "file" else table())


# ---- what stands in a folder, and what is put in its place


def places(value: Any, first: str = "") -> Iterator[str]:
    """Every key of a document, ``a.b.0.c``; of a list its first two items."""
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for key, inner in items:
        yield f"{first}{key}"
        yield from places(inner, f"{first}{key}.")


def fields(folder: Path) -> list[tuple[str, str]]:
    """(file, key) of every value in the JSON files of a folder."""
    files = [f for f in sorted(folder.glob("*.json")) if f.name != "manifest.json"]
    return [(f.name, place) for f in files for place in places(json.loads(f.read_bytes()))]


def forged_values(mark: Path) -> list[Any]:
    """What is put in the place of a value. mark: a file that code would make which is executed."""
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    numbers = [None, True, -1, 0, 2, 1.5, 10**12, 2**63, 1e308, float("nan"), float("inf")]
    codes = [code, f"0\n{code}\n", f'"\n{code}\n"', f'"""\n{code}\n"""', f"$(touch {mark})", f"{{{code}}}"]
    texts = ["", "x", *codes, "\ud800", "../../../elsewhere"]
    return [*numbers, *texts, [], {}, [code], {code: code}, [[[[[[0]]]]]], ["a", "b", "c"], [1, 2, 3]]


def put(value: Any, place: str, new: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    *way, last = (int(key) if key.isdigit() and key != "" else key for key in place.split("."))
    for key in way:
        inner = inner[key] if isinstance(inner, list) else inner[str(key)]
    inner[last if isinstance(inner, list) else str(last)] = new
    return changed


# ---- what a verb makes of it


class Trains(BaseException):
    """It has begun to train: how long that takes is what the settings say."""


@contextmanager
def bounded() -> Iterator[None]:
    """Memory and steps of training that a verb may take."""
    patch = pytest.MonkeyPatch()
    advance, left = TrainingLoop.advance, [40]

    def few(training: TrainingLoop, *asked: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Trains
        return advance(training, *asked, **named)

    def defect(screen: Screen, error: BaseException) -> int:
        raise error

    patch.setattr(TrainingLoop, "advance", few)
    patch.setattr(Screen, "defect", defect)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    now = int(Path("/proc/self/status").read_text().partition("VmData:")[2].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (now + GIGABYTES * 10**9, hard))
    try:
        with no_hang():
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        patch.undo()


def said(*words: str) -> tuple[int | None, str]:
    """The command's status (None: it trains) and what it said; raises what is a traceback."""
    out = StringIO()
    with redirect_stdout(out), redirect_stderr(out), bounded():
        try:
            return main(words), out.getvalue()
        except Trains:
            return None, out.getvalue()


def seen(place: Path) -> dict[str, tuple[int, int]]:
    """The files outside of the run, and when they were changed."""
    run = place / "runs/run"
    return {
        str(p.relative_to(place)): (p.lstat().st_mtime_ns, p.lstat().st_size)
        for p in place.rglob("*")
        if run not in (p, *p.parents) and p.is_file()
    }


def may_write(verb: str, name: str) -> bool:
    asked = {"page.html", "predictions.csv"} & set(verb.split())
    new = name.startswith("runs/new") and "--name new" in verb
    return name in asked or new or name == "runs/.lock"


def runs_script(path: Path) -> None:
    """Run an exported script, as its user would, for a few steps: a forged number may stand for millions.

    It is ended at a step, never at any moment: torch would stay imported by half, for the tests that follow.
    """
    before, left = (sys.argv, sys.path[:]), [40]
    sys.argv = [str(path)]
    sys.path.insert(0, str(path.parent))

    def few(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Trains

    hook, out = optimizers.register_optimizer_step_pre_hook(few), StringIO()
    try:
        with no_hang(), redirect_stdout(out), redirect_stderr(out), suppress(Exception, SystemExit, Trains):
            runpy.run_path(str(path), run_name="__main__")
    finally:
        hook.remove()
        sys.argv, sys.path[:] = before


def tried(
    source: Path, place: Path, mark: Path, change: Callable[[Path], None], verbs: Sequence[str]
) -> Iterator[str]:
    """What these verbs do wrong on copies of ``source`` that are changed so. mark: what code would make."""
    for verb in verbs:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place, symlinks=True)
        os.chdir(place)
        change(place / "runs/run")
        before = seen(place)
        try:
            status, text = said(*verb.split())
        except (Exception, Hangs, SystemExit) as error:
            yield f"{verb}: {type(error).__name__}: {error}"
            status, text = 0, ""
        if status not in (None, 0, 1, 2) or "Traceback" in text:
            yield f"{verb}: ends with {status}: {text}"
        if verb == "export run" and status == 0:
            for script in (place / "runs/run").rglob("exports/*.py"):
                runs_script(script)
        if mark.exists():
            mark.unlink()
            yield f"{verb}: it was executed"
        after = seen(place)
        for changed in {n for n in after if after[n] != before.get(n)} | (before.keys() - after.keys()):
            if not may_write(verb, changed):
                yield f"{verb}: it wrote {changed}"
