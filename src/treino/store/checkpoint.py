"""Checkpoints: two generations, written in turn, each of which can be verified."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.errors import TreinoError
from treino.store.database import is_mark
from treino.store.encoding import tensor_bytes, tensor_metadata, tensor_value
from treino.store.files import damaged, digest, inside
from treino.words import _

if TYPE_CHECKING:
    from torch import Tensor

SLOTS = ("checkpoint/a.safetensors", "checkpoint/b.safetensors")
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class Checkpoint:
    """One generation, counted from 1, the file that it is in, that file's SHA-256, and its content.

    mark: what `Database.mark` said when it was written.
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
    """A safetensors file that carries the SHA-256 of itself, taken with 64 zeros in its place."""
    state = {"sha256": _NO_DIGEST, "generation": generation, "losses": mark, "meta": meta}
    data = tensor_bytes(tensors, state)
    return data.replace(_NO_DIGEST.encode(), digest(data).encode(), 1)


def from_bytes(data: bytes, name: str, path: Path) -> Checkpoint:
    """What `to_bytes` wrote; TreinoError naming `path` where a single bit of it differs."""
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
    folder: Path, read: Callable[[str], bytes], listed: Mapping[str, str]
) -> tuple[list[Checkpoint], dict[str, TreinoError]]:
    """The whole generations, newest first, and the errors of the broken ones by name.

    read: gives a file's bytes by its name, with whatever checks the folder asks for.
    listed: names that have to be there.
    """
    whole: list[Checkpoint] = []
    broken: dict[str, TreinoError] = {}
    for name in SLOTS:
        path = inside(folder, name)
        if name in listed or path.is_file():
            try:
                whole.append(from_bytes(read(name), name, path))
            except TreinoError as error:
                if error.rule != "run_damaged":
                    raise
                broken[name] = error
    return sorted(whole, key=lambda each: -each.generation), broken
