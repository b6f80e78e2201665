"""Leftovers: folders of processes that ended before a checkpoint, which the next run of that name reuses."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from treino.errors import TreinoError
from treino.store import database, files, lock, manifest, sqlite
from treino.store.checkpoint import SLOTS
from treino.store.manifest import Manifest
from treino.words import _

_OWN = {manifest.NAME, lock.NAME, *(database.NAME + ending for ending in ("", *sqlite.BESIDE))}
_OF_AN_END = "result.json"  # a rewound run has ended before
_OWN_NUMBERED = re.compile(r"keyframes/\d+-\d+\.safetensors|checkpoint/[ab]\.safetensors|(.*/)?\.[^/]+\.tmp")


def is_leftover(path: Path) -> bool:
    """Whether the folder contains at most the files written before a run begins."""
    return has_no_checkpoint(path) and not _has_settings(path, _manifest(path))


def has_no_checkpoint(path: Path) -> bool:
    """Whether the folder contains at most a leftover, or a run that was never sealed and has no checkpoint,
    which a resume would start from its first step."""
    if path.is_symlink() or not path.is_dir():
        return False
    try:
        content = _manifest(path)
    except TreinoError:
        return False
    names = [*_names(path)]
    if content is not None and _has_settings(path, content):
        needed = content.sealed or _OF_AN_END in content.files or not {*SLOTS}.isdisjoint(names)
    else:
        needed = False
    return not needed and all(_own(path, name, content) for name in names)


def ended_before_it_began(path: Path) -> TreinoError:
    """The error for opening such a folder as a run."""
    return TreinoError(
        "ended_before_it_began",
        _("{path} ended before it began: its settings were not written yet.").format(path=path),
        _("Start it again; with the same [[name]] or [[out]] it takes the folder over."),
    )


def clear(path: Path) -> None:
    """Remove treino's files from the folder, also those of a begun run, except the lock; for the lock's
    holder.

    If this process dies meanwhile, the folder is a leftover.
    """
    content = _manifest(path)
    first = "" if content is None else content.first
    own = [name for name in _names(path) if name != lock.NAME and _own(path, name, content)]
    for name in sorted(own, key=lambda name: (name == manifest.NAME, name != first, name)):
        files.remove(path / name)
    for folder, _folders, _files in os.walk(path, topdown=False):
        if Path(folder) != path:
            with suppress(OSError):
                os.rmdir(folder)


def _has_settings(path: Path, content: Manifest | None) -> bool:
    """Whether a run has begun in the folder and can be resumed."""
    return content is not None and (content.sealed or (path / content.first).exists())


def _manifest(path: Path) -> Manifest | None:
    try:
        return manifest.read(path)
    except TreinoError as error:
        if error.rule != "not_a_run":
            raise
        return None


def _own(path: Path, name: str, content: Manifest | None) -> bool:
    """Whether it is a file that treino wrote, and not a link or anything else in its place."""
    known = name in _OWN or _OWN_NUMBERED.fullmatch(name) or (content is not None and name in content.files)
    return bool(known) and stat.S_ISREG(os.lstat(path / name).st_mode)


def _names(path: Path) -> Iterator[str]:
    """The names of all entries below the folder that are no folders; links count and are not followed."""
    for folder, folders, others in os.walk(path):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*links, *others):
            yield (Path(folder) / name).relative_to(path).as_posix()
