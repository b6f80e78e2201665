"""What a studio is opened on: a run, sweep or study by its name, data to train on, or a script."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.text import whole_number
from treino.folders import RunFolder, known_folder

SCRIPT_MISSING = Refusal("There is no script {path}.", "Give the path of a Python file, such as train.py.")

RUNS = Path("runs")


@dataclass(frozen=True)
class Subject:
    """address: its page; empty if a training must begin first. folder: the folder of runs. data: the data to
    train on. script: the path of a script."""

    address: str
    folder: Path = RUNS
    data: str | None = None
    script: str | None = None


def subject_of(target: str | None, settings: Mapping[str, Any]) -> Subject:
    """Find out what a target is: a script, a run, sweep or study, or else data; None: all runs.

    Raises:
        TreinoError: there is no such script, or the name is of a damaged folder.
    """
    if target is None:
        return Subject("/")
    if target.endswith(".py"):
        if not Path(target).is_file():
            raise SCRIPT_MISSING(path=target)
        return Subject("/script", script=target)
    stem, colon, member = target.rpartition(":")
    named = stem if colon and whole_number(member) is not None and not Path(target).exists() else target
    path = known_folder(named)
    if path is None:
        folder = RUNS if "out" not in settings else Path(settings["out"]).parent
        return Subject("", folder, data=target)
    kind = "run" if named != target else RunFolder.open(path, verify=False).kind
    # the studio refuses links within a folder of runs, so resolve one given on the command line
    path = path.resolve() if path.is_symlink() or path.name in ("", "..") else path
    return Subject(f"/{kind}/{path.name}{target[len(named) :]}", path.parent)
