"""The list of runs, sweeps and studies in ``./runs``, and the lookup of one by name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from treino.base import lock
from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _
from treino.folders.store import manifest, new_names
from treino.folders.store.folder import RunFolder
from treino.folders.store.new_names import ended_before_it_began, is_leftover

FILE_IS_NO_RUN = Refusal(
    "{path} is a file, and a run is a folder.", "Did you mean '{folder}'?", rule=manifest.NOT_A_RUN.rule
)
NO_RUNS = Refusal("There are no runs in {parent} yet.", "Train one: treino train wine")
RUN_MISSING = Refusal("There is no run {name}.", "{hint}")
RUN_AMBIGUOUS = Refusal("{name} is both a folder here and a run in {parent}.", "Write ./{name} or {named}.")

_SHOWN = 8  # names in a hint
_ROOT: ContextVar[Path | None] = ContextVar("root of the fence", default=None)


@contextmanager
def fenced(root: Path) -> Iterator[None]:
    """Within the block, list no run that leads out of ``root`` by a link, whether it is one or contains one.
    root: the folder, without links."""
    token = _ROOT.set(root)
    try:
        yield
    finally:
        _ROOT.reset(token)


def is_fenced() -> bool:
    """Whether this is within such a block."""
    return _ROOT.get() is not None


def left_out(parent: Path | str = "runs") -> list[str]:
    """A sentence for each entry of `parent` that leads out, and is not listed."""
    return [
        _("{path} leads out of {folder}, and is left out.").format(path=path, folder=_ROOT.get())
        for path in sorted(_entries(parent))
        if _leads_out(path)
    ]


@dataclass(frozen=True)
class RunSummary:
    """One entry of the list.

    `damage`: a description of damage, or None; with damage, the status is "damaged", or "interrupted" for a
    leftover. `spec` and `result`: the content of spec.json and result.json, if they exist. `path`: relative
    if the parent's path is. `when`: the time of creation, UTC, ISO 8601.
    """

    name: str
    path: Path
    kind: str
    status: str
    when: str
    damage: str | None = None
    spec: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


def list_runs(parent: Path | str = "runs") -> list[RunSummary]:
    """List all runs, sweeps and studies in `parent`, newest first, including damaged ones.

    Other folders are skipped. Only the manifest, spec.json and result.json are verified here; all other files
    are verified when a run is opened.
    """
    runs = [summary_of(path) for path in run_folders(parent)]
    return sorted(runs, key=lambda each: (each.when, each.name), reverse=True)


def find(name: Path | str, parent: Path | str = "runs") -> Path:
    """Find a folder by its path, by its name in `parent`, or by "last" for the newest.

    Errors: `run_missing` (with the nearest name), `run_ambiguous`, `not_a_run`, `no_runs`.
    """
    parent, text = Path(parent), str(name)
    if text == new_names.LAST:
        summaries = list_runs(parent)
        if not summaries:
            raise _none(parent)
        return summaries[0].path
    here, named = Path(text), parent / text
    bare = isinstance(name, str) and text not in ("", ".", "..") and "/" not in text
    # os.path: a name that is too long for a file matches no file
    if bare and os.path.isdir(named):
        if (here / manifest.NAME).is_file() and not here.samefile(named):
            raise RUN_AMBIGUOUS(name=text, parent=parent, named=named)
        return named
    if text and os.path.isdir(here):
        return here
    if not here.is_absolute() and os.path.isfile(named / manifest.NAME):  # a run in a sweep: sweep-1/best
        return named
    if os.path.isfile(here):
        raise FILE_IS_NO_RUN(path=here, folder=here.parent)
    known = [each.name for each in list_runs(parent)]
    if not known:
        raise _none(parent)
    raise RUN_MISSING(name=text, hint=_hint(here.name, known))


def known_folder(name: str) -> Path | None:
    """The folder that ``find`` returns; None if there is none, or only a data file or folder of this name.

    Errors: ``run_ambiguous``; ``no_runs`` for "last".
    """
    try:
        path = None if os.path.isfile(name) else find(name)
    except TreinoError as error:
        if error.rule not in (RUN_MISSING.rule, NO_RUNS.rule) or name == new_names.LAST:
            raise
        return None
    return None if path == Path(name) and not (path / manifest.NAME).is_file() else path


def _hint(name: str, known: list[str]) -> str:
    """A hint with the nearest name, else with the first of the `known` names and the number of the rest."""
    close = get_close_matches(name.lower(), [*known, new_names.LAST], n=1)
    more = len(known) - _SHOWN
    if close or more <= 0:
        return nearest(name, close or [*known, new_names.LAST])
    return _("Known: {names} … and {count} more.").format(names=", ".join(known[:_SHOWN]), count=more)


def run_folders(parent: Path | str) -> list[Path]:
    """The folders of runs, sweeps and studies in `parent`, also of damaged ones, in no order."""
    # a folder that lost its manifest is a damaged run; an empty folder has just been claimed, and is skipped
    marks = (manifest.NAME, "spec.json", "run.sqlite", lock.NAME)
    return [
        path
        for path in _entries(parent)
        if not _leads_out(path) and any(os.path.lexists(path / mark) for mark in marks)
    ]


def _entries(parent: Path | str) -> list[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return [path for path in Path(parent).iterdir() if path.name[0] != "."]
    return []


def _leads_out(path: Path) -> bool:
    """Whether an entry leads out of the fence, by itself or by a link among the files read to list it."""
    root = _ROOT.get()
    if root is None:
        return False
    links = [str(path)]
    if Path(os.path.realpath(path)).is_relative_to(root):
        with suppress(OSError):
            links += [each.path for each in os.scandir(path) if each.is_symlink()]
    return not all(Path(os.path.realpath(each)).is_relative_to(root) for each in links)


def summary_of(path: Path) -> RunSummary:
    """The entry of one folder."""
    try:
        if is_leftover(path):
            alive = lock.holder(path / lock.NAME) is not None
            status, damage = ("running", None) if alive else ("interrupted", str(ended_before_it_began(path)))
            return RunSummary(path.name, path, "run", status, _changed(path), damage)
        folder = RunFolder.open(path, verify=False)
        spec = folder.read_json("spec.json") if folder.has("spec.json") else None
        known = folder.has("result.json") and folder.manifest.sealed  # else it is from an earlier stop
        result = folder.read_json("result.json") if known else None
        damage = next((_("{name} is missing").format(name=name) for name in folder.missing), None)
        status = "damaged" if damage else folder.status
        return RunSummary(path.name, path, folder.kind, status, folder.created, damage, spec, result)
    except TreinoError as error:
        return RunSummary(path.name, path, "run", "damaged", _changed(path), error.message)


def _changed(path: Path) -> str:
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):  # gone, or a stamp that is no date
        changed = datetime.fromtimestamp(0, UTC)
    return changed.isoformat(timespec="microseconds")


def _none(parent: Path) -> TreinoError:
    error = NO_RUNS(parent=parent)
    error.message = " ".join([error.message, *left_out(parent)])
    return error
