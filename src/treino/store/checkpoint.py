"""Checkpoints: two generations, written alternately, each with a checksum."""

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
    """One generation (counted from 1): its file, the file's SHA-256, and the content.

    mark: the result of `Database.mark` at the time of writing.
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
    """A safetensors file that contains its own SHA-256, computed with 64 zeros in its place."""
    state = {"sha256": _NO_DIGEST, "generation": generation, "losses": mark, "meta": meta}
    data = tensor_bytes(tensors, state)
    return data.replace(_NO_DIGEST.encode(), digest(data).encode(), 1)


def from_bytes(data: bytes, name: str, path: Path) -> Checkpoint:
    """The checkpoint in the bytes of `to_bytes`. Raises TreinoError naming `path` if a single bit differs."""
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
    """The intact generations, newest first, and the errors of the damaged ones by name.

    read: returns a file's bytes by its name, with the folder's checks. listed: names of files that must
    exist.
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
