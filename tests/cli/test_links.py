"""Links and pipes in a run's folder: no verb follows one, waits for one, or changes what it leads to.

A folder may come from anybody, and archives and git keep links. Each name in a folder is put outside, a link
or a pipe takes its place, and each verb is called: nothing outside may be opened (Python tells of every file
that it opens, https://docs.python.org/3/library/audit_events.html) or changed, and the command ends with
what is wrong.
"""

import os
import random
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Said
from tests.waiting import no_hang
from tests.workflows.test_resume import in_a_child
from treino.api import open_result
from treino.folders.store import RunFolder
from treino.reports.pictures.picture_files import draw
from treino.settings.spec import read_settings
from treino.training.studies import study
from treino.training.sweeps import sweep
from treino.training.train import drain, train_events

SETTINGS = {"epochs": 12, "seed": 3, "hidden": [5], "every": 20, "name": "run"}
TABLE = "alcohol,malic_acid\n13.2,1.8\n"
VERBS = {
    "run": (
        "runs",
        "show run",
        "show run other",
        "plot run --what curves",
        "plot run --film --every 200",
        "report run",
        "report run other",
        "predict run rows.csv",
        "export run --format safetensors",
        "export run --format script",
        "explain adam run --step 3",
        "doctor run",
        "train --like run --name new",
        "train wine --weights run --hidden 5 --epochs 1 --name new",
        "train --branch run:20 --epochs 13 --name new",
        "train --rewind run:20 --epochs 13",
    ),
    "killed run": ("runs", "show run", "plot run --what curves", "resume run"),
    "sweep": (
        "runs",
        "show run",
        "show run:0",
        "plot run",
        "report run",
        "predict run rows.csv",
        "export run --format script",
        "train --like run:0 --name new",
    ),
    "killed sweep": ("show run", "resume run"),
    "study": ("runs", "show run", "plot run"),
    "killed study": ("show run", "resume run"),
}
# what isn't there yet, but may be written
ABSENT = {
    "run": (".lock", "run.sqlite-wal", "run.sqlite-shm", "run.sqlite-journal", "exports", "segments",
            "start.safetensors", "pictures/curves.png", "pictures/film", "exports/run.safetensors"),
    "sweep": (".lock", "pictures", "exports", "pictures/curves.png"),
    "study": (".lock", "pictures", "exports"),
}  # fmt: skip


def swept(name: str) -> Iterator[Any]:
    asked = {"members": 3, "fresh": 0, "sampler": "random", "strategy": "none"}
    settings = {"epochs": 3, "threads": 1, "hidden": [5]}
    return sweep.sweep_events("wine", ["lr=1e-3..1e-1:log"], name=name, settings=settings, **asked)


def studied(name: str) -> Iterator[Any]:
    settings = {"epochs": 3, "threads": 1, "hidden": [5]}
    return study.study_events("wine", batch_sizes=[60, 20], settings=settings, name=name)


def killed(events: Callable[[str], Iterator[Any]], after: int) -> None:
    """Make runs/run in a process that dies after so many events."""

    def work() -> None:
        for number, _event in enumerate(events("run")):
            if number == after:
                os.kill(os.getpid(), signal.SIGKILL)

    _pid, status = os.waitpid(in_a_child(work), 0)
    assert os.WIFSIGNALED(status)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``runs`` of each kind of folder, as ``KIND/runs/run``."""
    place, patch = tmp_path_factory.mktemp("folders"), pytest.MonkeyPatch()
    makers: dict[str, Callable[[str], Iterator[Any]]] = {
        "run": lambda name: train_events(
            "wine", read_settings(SETTINGS | {"name": name}), checkpoint_seconds=0
        ),
        "sweep": swept,
        "study": studied,
    }
    for module in ("training.train", "tuning.bracket", "tuning.study"):
        patch.setattr(f"treino.{module}.CHUNK_SECONDS", 0.0)
    for module in ("tuning.sweep", "tuning.study"):
        patch.setattr(f"treino.{module}.CHECKPOINT_SECONDS", 0.0)
    patch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0.0)
    for kind, events in makers.items():
        (place / kind).mkdir()
        patch.chdir(place / kind)
        list(events("run"))
        if kind == "run":
            draw(open_result("run"), ["curves"])
            drain(events("other"))
        (place / f"killed {kind}").mkdir()
        patch.chdir(place / f"killed {kind}")
        killed(events, 9)
    patch.undo()
    return place


def names_of(folder: Path, kind: str) -> list[str]:
    """Every file and folder in it, as far as one of each sort goes, and those to come."""
    sort: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        sort.setdefault("".join(sign for sign in name if not sign.isdigit()), name)
    return sorted({*sort.values(), *ABSENT[kind.split()[-1]]} - {"best/run.sqlite-wal"})


class Opened:
    """The files that this process opens while it is asked to look."""

    looking = False

    def __init__(self) -> None:
        self.paths: list[str] = []
        sys.addaudithook(self.note)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.looking and event in ("open", "sqlite3.connect") and isinstance(arguments[0], str | bytes):
            self.paths.append(os.fsdecode(arguments[0]).removeprefix("file:").partition("?")[0])

    @contextmanager
    def __call__(self) -> Iterator[list[str]]:
        self.paths, self.looking = [], True
        try:
            yield self.paths
        finally:
            self.looking = False


@pytest.fixture(scope="module")
def opened() -> Opened:
    return Opened()


def seen(outside: Path) -> dict[str, tuple[Any, ...]]:
    """All that is there: contents, times of change, numbers of names."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_nlink, path.is_file() and path.read_bytes())
        for path in [outside, *sorted(outside.rglob("*"))]
    }


def put_outside(folder: Path, name: str, outside: Path) -> None:
    """Move what is called so (or a file, or a folder with files) out of the run, and leave a link to it."""
    inside, there = folder / name, outside / Path(name).name
    inside.parent.mkdir(exist_ok=True)
    if inside.exists():
        shutil.move(inside, there)
    elif "." in name:
        there.write_text("precious")
    else:
        there.mkdir()
        for precious in ("0-5.safetensors", "a.safetensors", ".b.tmp", "curves.png", "frame-1.png"):
            (there / precious).write_text("precious")
    inside.symlink_to(there)


def put_pipe(folder: Path, name: str, outside: Path) -> None:
    inside = folder / name
    inside.parent.mkdir(exist_ok=True)
    if inside.is_dir():
        shutil.rmtree(inside)
    inside.unlink(missing_ok=True)
    os.mkfifo(inside)


def put_socket(folder: Path, name: str, outside: Path) -> None:
    put_pipe(folder, name, outside)
    (folder / name).unlink()
    here = os.getcwd()
    os.chdir((folder / name).parent)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind((folder / name).name)
    os.chdir(here)


def put_link_to_nothing(folder: Path, name: str, outside: Path) -> None:
    put_pipe(folder, name, outside)
    (folder / name).unlink()
    (folder / name).symlink_to(outside / "new")


CHANGES = {
    "link": put_outside,
    "pipe": put_pipe,
    "socket": put_socket,
    "link to nothing": put_link_to_nothing,
}


def tried(
    treino: Callable[..., Said], opened: Opened, runs: Path, place: Path, kind: str, name: str, change: str,
    verb: str,
) -> bool:  # fmt: skip
    """Call the verb on a copy of the folder with that name changed; -> whether it refused."""
    shutil.rmtree(place, ignore_errors=True)
    outside = place / "outside"
    outside.mkdir(parents=True)
    shutil.copytree(runs, place / "runs", symlinks=True)
    (place / "rows.csv").write_text(table())
    os.chdir(place)
    folder = place / "runs" / "run"
    CHANGES[change](folder, name, outside)
    before = seen(outside)
    with no_hang(), opened() as paths:  # who waits for a pipe would wait for ever
        said = treino(*verb.split())
    case = f"{kind}: {name} ({change}): treino {verb}\n{said.out}{said.err}"
    assert said.status in (0, 2), case
    assert "Traceback" not in said.err, case
    assert seen(outside) == before, case
    assert not [path for path in paths if Path(os.path.realpath(path)).is_relative_to(outside)], case
    if said.status == 2 and change == "link":
        assert str(Path("runs/run") / name) in said.err.replace("\n", ""), case
    assert (folder / name).is_symlink() == (change in ("link", "link to nothing")), case
    return said.status == 2


def table() -> str:
    from sklearn.datasets import load_wine

    return str(load_wine(as_frame=True).data.head(3).to_csv(index=False))


CASES = [(kind, verb) for kind, verbs in VERBS.items() for verb in verbs]
COSTS = {("run", "report run"): pytest.mark.release, ("sweep", "plot run"): pytest.mark.slow}


@pytest.mark.parametrize(
    ("kind", "verb"), [pytest.param(*case, marks=COSTS.get(case, ()), id="-".join(case)) for case in CASES]
)
def test_no_verb_follows_a_link_out_of_a_folder(
    treino: Callable[..., Said], opened: Opened, folders: Path, tmp_path: Path, kind: str, verb: str,
    thorough: bool,
) -> None:  # fmt: skip
    runs = folders / kind / "runs"
    listed = RunFolder.open(runs / "run", verify=False).manifest.files
    cases = [(name, change) for name in names_of(runs / "run", kind) for change in CHANGES]
    for name, change in cases if thorough else random.Random(verb).sample(cases, 2):
        os.chdir(tmp_path)
        refused = tried(treino, opened, runs, tmp_path / "place", kind, name, change, verb)
        if name in (*listed, "manifest.json") and verb != "runs":
            assert refused, f"{verb} reads every file that the manifest names, {name} among them"
