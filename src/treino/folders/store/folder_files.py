"""The files in the folder of a run, sweep or study: written atomically, verified by the manifest when read.

All paths go through `within`, since the folder may come from an untrusted source.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base import files, lock
from treino.base.encoding import json_bytes, json_value, tensor_bytes, tensor_value
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.folders.store import manifest
from treino.folders.store.manifest import Manifest

if TYPE_CHECKING:
    from torch import Tensor

FILE_MISSING = Refusal("{path} is not there.", "{hint}")
RUN_NOT_WRITING = Refusal("{path} is open for reading only.", "Take it up first: treino resume {path}")


YOUNG = 60.0  # seconds during which a temporary file may belong to a live process


class FolderFiles:
    """The files of one folder. Reading needs no lock; writing needs the folder's lock."""

    def __init__(self, path: Path, content: Manifest) -> None:
        self.path = path
        self._manifest = content
        self._lock: int | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest, read again unless this object holds the lock, since another process may change it."""
        if not lock.held(self._lock):
            self._manifest = manifest.read(self.path, self._manifest)
        return self._manifest

    @property
    def kind(self) -> str:
        """run, sweep or study."""
        return self._manifest.kind

    @property
    def created(self) -> str:
        """The time at which the folder was created: UTC, ISO 8601."""
        return self._manifest.created

    @property
    def writing(self) -> bool:
        """Whether this object may write to the folder: it holds the lock, and the folder is not sealed."""
        return lock.held(self._lock) and not self._manifest.sealed

    def within(self, name: str) -> Path:
        """The path of an entry of this folder, existing or not.

        Raises TreinoError if a part of `name` is a link, a pipe, a socket or a device.
        """
        return files.inside(self.path, name)

    def names(self, under: str) -> list[str]:
        """The entries of the sub-folder `under`, as names relative to this folder; [] if it doesn't exist."""
        place = self.within(under)
        try:
            names = sorted(os.listdir(place))
        except FileNotFoundError:
            return []
        return [f"{under}/{name}" for name in names if not name.startswith(".")]

    def has(self, name: str) -> bool:
        """Whether the file exists and, in a sealed folder, is in the manifest."""
        content = self.manifest
        listed = not content.sealed or name in content.files or _outside(name)
        return listed and self.within(name).is_file()

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Write a file atomically and return its path.

        Files in pictures/ and exports/ can be written at any time; all others need the lock, and are added to
        the manifest.
        """
        if not manifest.inside(name):
            raise ValueError(f"{name!r} is not a name inside a run's folder")
        path = self.within(name)
        if _outside(name):
            files.make_folder(path.parent)
            files.remove_leftovers(path.parent, YOUNG)  # other processes may be writing here, without a lock
            files.write_atomically(path, data)
            return path
        self._require_writing()
        listed = self._manifest.files
        before, digest = listed.get(name, manifest.ABSENT), files.digest(data)
        if digest not in before.split():
            self._record({**listed, name: f"{before} {digest}"})  # after a crash, one of the two is right
        if path.parent != self.path:
            files.make_folder(path.parent)
        files.write_atomically(path, data)
        self._record({**listed, name: digest})
        return path

    def write_new(self, contents: Mapping[str, Sequence[Any]]) -> None:
        """Write many new files, each in parts, and add all of them to the manifest at once.

        A process that dies meanwhile leaves whole files that are not in the manifest; `remove` deletes them.
        """
        self._require_writing()
        if contents:
            places = {name: self.within(name) for name in contents}
            for place in {path.parent for path in places.values()}:
                files.make_folder(place)
            files.write_new({places[name]: parts for name, parts in contents.items()})
            digests = {name: files.digest(*parts) for name, parts in contents.items()}
            self._record({**self._manifest.files, **digests})

    def remove(self, names: Iterable[str]) -> None:
        """Remove files from the manifest, then from the disk."""
        self._require_writing()
        gone = set(names)
        self._record({name: digest for name, digest in self._manifest.files.items() if name not in gone})
        for name in sorted(gone):
            files.remove(self.within(name))

    def read_bytes(self, name: str) -> bytes:
        """Return a file's content, after verifying its SHA-256. Errors: `file_missing`, `run_damaged`, disk
        errors."""
        while True:
            content = self.manifest
            try:
                data: bytes | None = files.read_bytes(self.within(name))
            except TreinoError as error:
                if error.rule != files.FILE_VANISHED.rule:
                    raise
                data = None
            expected = content.files.get(name)
            unchecked = expected is None and (_outside(name) or not content.sealed)
            if data is not None and (unchecked or files.digest(data) in str(expected).split()):
                return data
            # a writing process may have replaced the file after the manifest was read
            if self.manifest == content:
                raise self._unreadable(name, data, expected)

    def write_json(self, name: str, value: Any) -> Path:
        """Write a JSON file; NaN and the infinities become null."""
        return self.write_bytes(name, json_bytes(value))

    def read_json(self, name: str) -> Any:
        """Return a JSON file's value, verified."""
        return json_value(self.read_bytes(name), self.path / name)

    def write_tensors(self, name: str, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, Any]) -> Path:
        """Write a safetensors file; `metadata`: JSON types, including non-finite floats."""
        return self.write_bytes(name, tensor_bytes(tensors, metadata))

    def read_tensors(self, name: str) -> tuple[dict[str, "Tensor"], dict[str, Any]]:
        """Return a safetensors file's tensors (aligned copies, on the CPU) and metadata, verified."""
        return tensor_value(self.read_bytes(name), self.path / name)

    # ---- inside

    def _put_manifest(self, content: Manifest) -> None:
        files.write_atomically(self.within(manifest.NAME), content.to_bytes())
        self._manifest = content

    def _record(self, listed: Mapping[str, str], status: str = "running") -> None:
        content = Manifest(self._manifest.kind, self._manifest.created, status, dict(listed))
        if content != self._manifest:
            self._put_manifest(content)

    def _require_writing(self) -> None:
        if not self.writing:
            raise RUN_NOT_WRITING(path=self.path)

    def _unreadable(self, name: str, data: bytes | None, expected: str | None) -> TreinoError:
        if data is not None and expected is not None:
            return files.damaged(
                self.path / name, _("its content does not match its SHA-256 in the manifest")
            )
        if data is not None:
            return files.damaged(self.path / name, _("it is not in the manifest"))
        hint = _("Restore it from a copy of the run, or train again.")
        if expected is None:
            hint = _("{manifest} lists the files that are.").format(manifest=self.path / manifest.NAME)
        if name.startswith(("pictures/", "exports/")):
            hint = _("Make it first: treino plot {run}, or treino export {run}").format(run=self.path.name)
        return FILE_MISSING(path=self.path / name, hint=hint)


def _outside(name: str) -> bool:
    return name.split("/")[0] in manifest.OUTSIDE
