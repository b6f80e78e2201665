"""Checkpoints: two generations, written alternately, each with a checksum.

A watcher touches ``live/watched`` every second. While that file is recent, the training process writes its
newest state to ``live/state.safetensors``. These two files are not part of the run: they are not in the
manifest, are not flushed to disk, and are removed at the end.
"""

import os
import time
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base import files
from treino.base.encoding import array_parts, tensor_bytes, tensor_metadata, tensor_value
from treino.base.errors import TreinoError
from treino.base.files import damaged, digest, inside
from treino.base.words import _
from treino.folders.store.database import is_mark

if TYPE_CHECKING:
    from torch import Tensor


# ---- checkpoints

SLOTS = ("checkpoint/a.safetensors", "checkpoint/b.safetensors")
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class Checkpoint:
    """One generation of the checkpoint, counted from 1: its file, the file's SHA-256, and the content.

    mark: the result of `Database.mark` when the checkpoint was written.
    """

    generation: int
    path: Path
    name: str
    digest: str
    mark: dict[str, Any]
    meta: dict[str, Any]
    data: bytes = field(repr=False)

    @property
    def tensors(self) -> "dict[str, Tensor]":
        return tensor_value(self.data, self.path)[0]


def to_bytes(
    tensors: Mapping[str, "Tensor"], meta: Mapping[str, Any], generation: int, mark: Mapping[str, Any]
) -> bytes:
    """A safetensors file that contains its own SHA-256, computed with 64 zeros in the digest's place."""
    state = {"sha256": _NO_DIGEST, "generation": generation, "losses": mark, "meta": meta}
    data = tensor_bytes(tensors, state)
    return data.replace(_NO_DIGEST.encode(), digest(data).encode(), 1)


def from_bytes(data: bytes, name: str, path: Path) -> Checkpoint:
    """Decode the bytes of `to_bytes`. Raises TreinoError naming `path` if a single bit differs."""
    state = tensor_metadata(data, path)
    checksum = state.get("sha256")
    if not isinstance(checksum, str) or len(checksum) != len(_NO_DIGEST):
        raise damaged(path, _("it is not a checkpoint"))
    if digest(data.replace(checksum.encode(), _NO_DIGEST.encode(), 1)) != checksum:
        raise damaged(path, _("its content does not match its own SHA-256"))
    generation, mark, meta = (state.get(key) for key in ("generation", "losses", "meta"))
    if type(generation) is not int or not isinstance(meta, dict) or not is_mark(mark):
        raise damaged(path, _("it is not a checkpoint"))
    return Checkpoint(generation, path, name, digest(data), mark, meta, data)


def read_all(
    folder: Path, read: Callable[[str], bytes], listed: Mapping[str, str], damage: Container[str]
) -> tuple[list[Checkpoint], dict[str, TreinoError]]:
    """Return the intact generations, newest first, and ``{name: error}`` of the damaged or missing ones.

    read: reads and verifies a file of the folder by its name. listed: names of files that must exist.
    damage: the rules of the errors that say that a file is damaged or missing.
    """
    whole: list[Checkpoint] = []
    broken: dict[str, TreinoError] = {}
    for name in SLOTS:
        path = inside(folder, name)
        if name in listed or path.is_file():
            try:
                whole.append(from_bytes(read(name), name, path))
            except TreinoError as error:
                if error.rule not in damage:
                    raise
                broken[name] = error
    return sorted(whole, key=lambda each: -each.generation), broken


# ---- ``live/`` of a run's folder

FOLDER = "live"
FRESH = 3.0  # seconds after a touch during which somebody counts as watching
WATCHED, STATE = f"{FOLDER}/watched", f"{FOLDER}/state.safetensors"


class LiveFolder:
    """The folder ``live/`` of the run's folder ``run``. On a full disk or without the folder no state is
    shown, but neither training nor a watcher stops."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._watched, self._state = run / WATCHED, run / STATE
        self._touch, self._seen = 0, 0.0  # the stamp of the last touch, and when it was first seen

    @property
    def watched(self) -> bool:
        """Whether somebody watches: whether the stamp changes. Its time doesn't count, since clocks jump, and
        those of two machines differ."""
        try:
            touch = os.stat(self._watched).st_mtime_ns
        except OSError:
            return False
        if touch != self._touch:
            self._touch, self._seen = touch, time.monotonic()
        return time.monotonic() - self._seen < FRESH

    def watch(self) -> None:
        """Register a watcher for the next ``FRESH`` seconds."""
        with suppress(TreinoError, OSError):
            path = files.inside(self.run, WATCHED)
            path.parent.mkdir(exist_ok=True)
            path.touch()

    def show(self, tensors: "Mapping[str, Tensor]", meta: Mapping[str, Any]) -> None:
        """Write a new state, replacing the last one."""
        with suppress(TreinoError, OSError):
            path = files.inside(self.run, STATE)
            path.parent.mkdir(exist_ok=True)
            arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
            files.replace_at_once(path, array_parts(arrays, meta))

    @property
    def stamp(self) -> int:
        """A number that changes with every new state; 0 without a state."""
        try:
            status = os.stat(self._state)
        except OSError:
            return 0
        return status.st_mtime_ns ^ (status.st_ino << 1)

    def state(self) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
        """Return tensors and metadata of the newest state, or None."""
        try:
            path = files.inside(self.run, STATE)
            return tensor_value(files.read_bytes(path), path)
        except TreinoError:
            return None

    def close(self) -> None:
        """Remove the files, and the folder if it is then empty."""
        for path in (self._state, self._watched):
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            self._state.parent.rmdir()
