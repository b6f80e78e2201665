"""Stored runs, sweeps and studies: a folder, its status, whether it can be resumed, and notes on failures."""

import platform
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import torch

from treino.base.apps import names_of_packages
from treino.base.errors import Refusal, TreinoError, cause
from treino.base.files import relative
from treino.base.machine import processor_model
from treino.base.own_objects import OWN
from treino.base.words import N_, _
from treino.engine.registries import REGISTRIES
from treino.folders.access import Access
from treino.folders.documents.run_spec import RunSpec
from treino.folders.documents.sweep import SweepSpec
from treino.folders.network_source import COPIES
from treino.folders.own_code import copy_of, restore_own_code
from treino.folders.store import RunFolder
from treino.folders.store.new_names import command_word, ended_before_it_began
from treino.settings.recipes import without_recipe
from treino.settings.setting_types import as_item
from treino.settings.spec import FLAGS

NOTHING_TO_RESUME = Refusal("{run} is {status}: there is nothing to resume.", "{hint}")

# ---- base class of stored runs, sweeps and studies


class StoredFolder:
    """A stored folder, read on demand. access: the access to its rows and to the user's networks."""

    def __init__(self, folder: RunFolder, access: Access | None = None) -> None:
        self.folder = folder
        self.access = access or Access()
        restore_own_code(folder, self.access)

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def status(self) -> str:
        """running, finished, stopped, interrupted or diverged (with several networks: all diverged)."""
        return self.folder.status


# ---- conditions of resuming


RULES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "run": (("interrupted", "stopped"), N_("Train a new run, e.g. with more [[epochs]].")),
    "sweep": (("interrupted",), N_("Give it more networks with [[more=64]], or start a new sweep.")),
    "study": (("interrupted",), N_("Start a new study, e.g. with more [[epochs]].")),
}
"""The states in which a folder of each kind can be resumed, and what to do in others. A run stops on request
and can then be resumed; a stopped sweep has used up its time."""


def unfinished(path: str | Path, also: Sequence[str] = ()) -> RunFolder:
    """Open the folder at ``path`` for reading, if it can be resumed. also: further resumable states.

    Damaged keyframes are ignored: ``RunFolder.unseal`` removes them.

    Raises:
        TreinoError: it has ended, is being written by another process, is damaged, or ended before it began.
    """
    folder = RunFolder.open(path, verify=False)
    if not (folder.manifest.sealed or folder.status == "running" or folder.has(folder.manifest.first)):
        raise ended_before_it_began(folder.path)
    folder.verify(resume=True)
    states, hint = RULES[folder.kind]
    if folder.status not in (*states, *also):
        raise NOTHING_TO_RESUME(
            run=folder.path.name,
            status=_(folder.status),
            hint=_("Wait until it is over, or stop it with Ctrl-C where it runs.")
            if folder.status == "running"
            else _(hint),
        )
    return folder


# ---- notes of failures after a training (pictures, intervals …)

T = TypeVar("T")


def try_or_note(notes: list[str], what: str, hint: str, work: Callable[[], T]) -> T | None:
    """Return the result of ``work``. If it fails, add a sentence to ``notes`` and return None.

    what: the description of the work, which begins the sentence. hint: what to do or know after a failure.

    Raises:
        TreinoError, OSError: a system error.
    """
    try:
        return work()
    except (OSError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a network of the user's may raise any
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


# ---- commands that reproduce a run


def as_typed(source: str, settings: Mapping[str, object], weights: str | None = None) -> str:
    """The command that reproduces this run; if the data is a file, to be typed in the run's folder.

    weights: the run whose weights it begins with, if any."""
    begun = [] if weights is None else ["--weights", weights]
    return shlex.join(["treino", "train", source, *as_flags(without_recipe(settings)), *begun])


def typed_here(command: str, spec: RunSpec | SweepSpec, folder: Path) -> str:
    """A folder's command as it is typed in the working directory.

    command: as the folder keeps it: it is written for the folder, and names runs beside that.
    """
    where = spec.data
    files = {file.source for file in where.files.values()}
    files |= {where.source} if where.kind == "file" else set()
    names = {source: source for source in files}
    names |= {
        str(spec.asked[split]): file.source for split, file in where.files.items() if split in spec.asked
    }
    here = {word: relative((folder / source).resolve(), Path()) for word, source in names.items()}
    words = shlex.split(command)
    for place, (flag, word) in enumerate(pairwise(words), 1):
        before, _colon, after = word.rpartition(":")
        if flag in ("--branch", "--rewind"):
            run = folder if flag == "--rewind" else folder.parent / before
            (words[place],) = shlex.split(command_word(run, f":{after}"))
        elif flag in ("--net", "--space", "--cell") or copy_of(folder, word) is not None:
            words[place] = _with_copies(folder, word)
        else:
            words[place] = here.get(word, word)
    return shlex.join(words)


def _with_copies(folder: Path, word: str) -> str:
    """The word, with the folder's copies of the user's files as they are named in the working directory."""

    def of_network(match: re.Match[str]) -> str:
        copy = folder / match[0]
        return relative(copy, Path()) if copy.is_file() else match[0]

    def of_entry(match: re.Match[str]) -> str:
        copy = copy_of(folder, match[0])
        return match[0] if copy is None else f"{relative(copy, Path())}:{match['name']}"

    return OWN.sub(of_entry, COPIES.sub(of_network, word))


def branch_as_typed(how: str, place: str, changes: Mapping[str, object]) -> str:
    """The command that repeats a branch or rewind. how: --branch or --rewind. place: RUN:STEP."""
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


# ---- versions of packages, and the machine

_version = cache(version)  # cached, since it reads a file


def versions(settings: Mapping[str, Any] = MappingProxyType({})) -> dict[str, str]:
    """``{package: version}``, including Python's version, and packages that brought an entry among the
    settings."""
    own = {"treino": _version("treino"), "torch": torch.__version__, "python": platform.python_version()}
    packages = (names_of_packages(what).get(str(settings.get(what))) for what in REGISTRIES)
    return own | {package: _version(package) for package in packages if package}


def packages_text(versions: Mapping[str, str]) -> str:
    """The packages that brought entries, with their versions; "" if none did."""
    others = (package for package in versions if package not in ("treino", "torch", "python"))
    return ", ".join(f"{package} {versions[package]}" for package in others)


def machine() -> dict[str, str]:
    """The parts of this machine that affect rounding; nothing that identifies it or its owner."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": processor_model() or platform.processor(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
    }
