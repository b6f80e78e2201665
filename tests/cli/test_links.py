"""Links and pipes in a run's folder: no verb follows one, waits for one, or changes what it leads to.

A folder may come from anybody, and archives and git keep links. Each name in a folder is put outside, a link
or a pipe takes its place, and each verb is called: nothing outside may be opened (Python tells of every file
that it opens, https://docs.python.org/3/library/audit_events.html) or changed, and the command ends with
what is wrong.
"""

import os
import random
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.forged_folders import MAKERS, Made
from tests.conftest import Said, Treino
from tests.waiting import no_hang
from treino.folders.store import RunFolder

# what isn't there yet, but may be written
ABSENT = {
    "run": ".lock run.sqlite-wal run.sqlite-shm run.sqlite-journal exports segments start.safetensors"
    " pictures/curves.png pictures/film exports/run.safetensors",
    "sweep": ".lock pictures exports pictures/curves.png",
    "study": ".lock pictures exports",
}


def names_of(folder: Path, kind: str) -> list[str]:
    """Every file and folder in it, as far as one of each sort goes, and those to come."""
    sort: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        sort.setdefault("".join(sign for sign in name if not sign.isdigit()), name)
    return sorted({*sort.values(), *ABSENT[kind.split()[-1]].split()} - {"best/run.sqlite-wal"})


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


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "place"


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


def tried(call: Callable[[], Said], opened: Opened, place: Path, name: str, change: str) -> bool:
    """Call a verb in this place, with that name of its run changed; -> whether it refused."""
    outside = place / "outside"
    outside.mkdir()
    folder = place / "runs" / "run"
    CHANGES[change](folder, name, outside)
    before = seen(outside)
    with no_hang(), opened() as paths:  # who waits for a pipe would wait for ever
        said = call()
    case = f"{name} ({change})\n{said.out}{said.err}"
    assert said.status in (0, 2), case
    assert "Traceback" not in said.err, case
    assert seen(outside) == before, case
    assert not [path for path in paths if Path(os.path.realpath(path)).is_relative_to(outside)], case
    if said.status == 2 and change == "link":
        assert str(Path("runs/run") / name) in said.err.replace("\n", ""), case
    assert (folder / name).is_symlink() == (change in ("link", "link to nothing")), case
    return said.status == 2


REFUSED_ANYWAY = [
    ("run", "resume run"),
    ("sweep", "resume run"),
    ("killed sweep", "plot run --what curves"),
    ("study", "report run"),
    ("study", "resume run"),
    ("killed study", "report run --markdown"),
]
CASES = [
    pytest.param(kind, verb, marks=[pytest.mark.slow] if (kind, verb) == ("sweep", "plot run") else [])
    for kind in ("run", "killed run", "sweep", "killed sweep", "study", "killed study")
    for verb in MAKERS[kind][1]
    if (kind, verb) not in REFUSED_ANYWAY
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "verb"), CASES)
@pytest.mark.sampled(4)
def test_no_verb_follows_a_link_out_of_a_folder(
    treino: Treino, opened: Opened, made: Made, place: Path, kind: str, verb: str, thorough: bool
) -> None:
    run = made(kind) / "runs" / "run"
    listed = RunFolder.open(run, verify=False).manifest.files
    cases = [(name, change) for name in names_of(run, kind) for change in CHANGES]
    for name, change in cases if thorough else random.Random(verb).sample(cases, 2):
        os.chdir(place.parent)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(made(kind), place, symlinks=True)
        os.chdir(place)
        refused = tried(lambda: treino(*verb.split()), opened, place, name, change)
        if name in (*listed, "manifest.json") and verb != "runs":
            assert refused, f"{verb} reads every file that the manifest names, {name} among them"
