"""Stored runs, sweeps and studies: a folder, its status, whether it can be resumed, failures noted."""

import platform
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import torch

from treino.errors import TreinoError, cause
from treino.recipes import without_recipe
from treino.records.network_source import Access
from treino.setting_types import as_item
from treino.spec import FLAGS
from treino.store import RunFolder
from treino.store.new_names import ended_before_it_began
from treino.words import N_, _

# ---- what runs, sweeps and studies have in common once they are stored


class StoredFolder:
    """Nothing is read before it is needed. access: to its rows and to networks of the user's own."""

    def __init__(self, folder: RunFolder, access: Access | None = None) -> None:
        self.folder = folder
        self.access = access or Access()

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def status(self) -> str:
        """running, finished, stopped, interrupted or diverged (of several networks: where all did)."""
        return self.folder.status


# ---- which runs, sweeps and studies can be resumed, and what is said of the others


@dataclass(frozen=True)
class ResumeRule:
    """What one kind of folder is resumed from.

    states: a run that is stopped was asked to stop; a sweep is stopped when its time is over. hint: what to
    do where there is nothing to go on with.
    """

    states: tuple[str, ...]
    hint: str


RULES = {
    "run": ResumeRule(("interrupted", "stopped"), N_("Train a new run, e.g. with more [[epochs]].")),
    "sweep": ResumeRule(
        ("interrupted",), N_("Give it more networks with [[more=64]], or start a new sweep.")
    ),
    "study": ResumeRule(("interrupted",), N_("Start a new study, e.g. with more [[epochs]].")),
}


def unfinished(path: str | Path, also: Sequence[str] = ()) -> RunFolder:
    """The folder at ``path``, opened for reading, if it can be resumed. also: further states in which it can.

    Damaged keyframes are passed over: ``RunFolder.unseal`` drops them.

    Raises:
        TreinoError: it is over, is being written by another process, is damaged, or ended before it began.
    """
    folder = RunFolder.open(path, verify=False)
    if not (folder.manifest.sealed or folder.status == "running" or folder.has(folder.manifest.first)):
        raise ended_before_it_began(folder.path)
    folder.verify(resume=True)
    rule = RULES[folder.kind]
    if folder.status not in (*rule.states, *also):
        raise TreinoError(
            "nothing_to_resume",
            _("{run} is {status}: there is nothing to resume.").format(
                run=folder.path.name, status=_(folder.status)
            ),
            _("Wait until it is over, or stop it with Ctrl-C where it runs.")
            if folder.status == "running"
            else _(rule.hint),
        )
    return folder


# ---- notes of failures after a training (pictures, intervals …)

T = TypeVar("T")


def try_or_note(notes: list[str], what: str, hint: str, work: Callable[[], T]) -> T | None:
    """The result of ``work``; None where it fails, and a sentence more in ``notes``.

    what: what it does, to begin the sentence with. hint: what to type or to know then.

    Raises:
        TreinoError, OSError: the machine fails, which ends everything.
    """
    try:
        return work()
    except OSError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, TreinoError) and error.status == 1:
            raise
        note = _("{what} failed: {why} The training is kept all the same. {hint}").format(
            what=what, why=_reason(error), hint=hint
        )
        if note not in notes:
            notes.append(note)
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, TreinoError):
        return error.message
    return f"{cause(error).rstrip(': .')}."


# ---- the command that reproduces a run, as a person types it


def as_typed(source: str, settings: Mapping[str, object]) -> str:
    """The command that reproduces this run, typed from the run's folder where the data is a file."""
    return shlex.join(["treino", "train", source, *as_flags(without_recipe(settings))])


def branch_as_typed(how: str, place: str, changes: Mapping[str, object]) -> str:
    """The command that goes on from a step of a run again; how: --branch or --rewind; place: RUN:STEP."""
    known = {name: value for name, value in changes.items() if name in FLAGS}
    return shlex.join(["treino", "train", how, place, *as_flags(known)])


def as_flags(settings: Mapping[str, object]) -> list[str]:
    words: list[str] = []
    for name, value in settings.items():
        if isinstance(value, bool):
            words.append(FLAGS[name] if value else FLAGS[name].replace("--", "--no-"))
        elif isinstance(value, list | tuple):
            words += [FLAGS[name], ",".join(as_item(str(item)) for item in value) or "none"]
        elif value is not None:
            words += [FLAGS[name], str(value)]
    return words


# ---- the versions of the packages that a run was trained with

_version = cache(version)  # which reads it from a file


def versions() -> dict[str, str]:
    """``{package: version}``, with Python's own."""
    return {"treino": _version("treino"), "torch": torch.__version__, "python": platform.python_version()}
