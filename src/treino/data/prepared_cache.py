"""Cache prepared tables larger than memory on disk; a folder gets its final name only when it is complete.

With a cache folder, a prepared table stays under a name derived from the file's content and the arguments,
and later loads use it again; without a cache folder, it is removed with the Data. An incomplete folder whose
process died is never read; the next process removes it.
"""

import getpass
import glob
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from treino.base import files, lock
from treino.base.encoding import signed, signed_value
from treino.base.errors import TreinoError
from treino.base.words import _
from treino.data.builtins import BUILTINS
from treino.data.dataset import SHARED, Data
from treino.data.documents import LoadArguments, PreparationDocument
from treino.data.preparation.preparation import Preparation
from treino.data.rows import MemoryLimit, Rows
from treino.data.splits import PARTS
from treino.data.table import Table

FORMAT = 4
HELD = 6  # maximum number of copies of a numeric table in memory while it is prepared there
INPUT_BYTES = 6  # bytes of memory per input and row: x, and what is held of a block and of a column meanwhile
FOLDER = ".prepared"  # the cache folder, beside the runs
MANIFEST, REST = "manifest.json", "rest.safetensors"
PLAIN = (*SHARED, "task_reason", "official_test", "notes", "written", "currency")
_REST = ("y", "index", "weight", "group")
_UNFINISHED = ".unfinished-"
_YOUNG = 60.0  # seconds within which a new folder may still be without a lock
_KNOWN: dict[tuple[int, ...], str] = {}  # digests of files by device, inode, size and modification time
_version = cache(version)  # cached, because ``version`` reads a file


class PreparedCache:
    """The cache folder of one prepared table, created on first use.

    limit: the most bytes of memory for the rows. cache: the folder for prepared tables; None for a temporary
    folder that is removed with the Data. request: all arguments that determine the prepared rows, as JSON.
    """

    def __init__(self, limit: int, cache: Path | None, request: Mapping[str, object]) -> None:
        self.limit = limit
        user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
        self._root = cache or Path(tempfile.gettempdir()) / f"treino-{user}"
        self._stays = cache is not None
        self._request: dict[str, object] = {"format": FORMAT, "treino": _version("treino"), **request}
        self._folder: Path | None = None
        self._lock: int | None = None

    def __enter__(self) -> "PreparedCache":
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the unfinished folder, unless ``keep`` was called."""
        if self._folder is not None:
            _remove(self._folder, self._lock, os.getpid())
            self._folder = None

    def folder(self) -> Path:
        """The temporary folder for the files being written; creates it on the first call."""
        if self._folder is None:
            (files.make_folder if self._stays else files.make_private_folder)(self._root)
            remove_unfinished(self._root)
            path = self._root / f"{_UNFINISHED}{os.getpid()}-{secrets.token_hex(4)}"
            files.make_folder(path)
            self._folder, self._lock = path, lock.acquire(path / lock.NAME)
        return self._folder

    @property
    def room(self) -> MemoryLimit:
        """The memory limit for rows while they are read."""
        return MemoryLimit(self.limit // HELD, self.folder)

    @property
    def used(self) -> bool:
        """Whether the folder was created."""
        return self._folder is not None

    @property
    def note(self) -> str:
        """A note that says where the rows are."""
        if self._stays:
            return _(
                "Larger than the memory for it, so prepared once into {folder} beside the runs and read from"
                " there; delete it when you no longer train on this table."
            ).format(folder=f"{self._root.name}/{self.name}")
        return _("Larger than the memory for it, so prepared into a temporary folder and read from there.")

    @property
    def name(self) -> str:
        """The name of the complete folder: a hash of the request."""
        return hashlib.sha256(json.dumps(self._request, sort_keys=True).encode()).hexdigest()[:16]

    def lookup(self, source: object, files_of: Mapping[str, object]) -> Data | None:
        """The table prepared earlier from files of the same content with the same options; None without
        one."""
        paths = [source, *files_of.values()]
        if not self._stays or not self._root.is_dir() or not all(map(_is_file, paths)):
            return None
        from treino.data.readers.table_files import identity

        ids = [identity(str(path)) for path in paths]
        self.made_of([sha256 for _name, sha256 in ids])
        if (kept := self.kept_files()) is None:
            return None
        rest = zip(files_of, paths[1:], ids[1:], strict=True)
        of_files = {part: (str(path), sha256) for part, path, (_name, sha256) in rest}
        return _read(*kept, name=ids[0][0], source=str(source), sha256=ids[0][1], files=of_files)

    def made_of(self, digests: Sequence[str | None]) -> None:
        """Add the digests of the table's source files to the request, which names the folder."""
        self._request["sha256"] = list(digests)

    def too_small_for(self, preparation: Preparation, table: Table) -> bool:
        """Whether the rows of a table file have so many inputs that they need more memory than the limit."""
        many = table.rows * preparation.size * INPUT_BYTES > self.limit
        return many and table.sha256 is not None and preparation.kind == "table"

    def keep(self, data: Data) -> None:
        """Finish and keep the files; without a cache folder, only while the Data exists.

        data: its y and index are written now; its x is already in the files.
        """
        folder = self.folder()
        for leftover in folder.glob("*.arrow"):
            files.remove(leftover)
        content: dict[str, Any] = {}
        if self._stays:
            from safetensors.torch import save

            parts = (
                (f"{part}.{of}", getattr(rows, of)) for part, rows in data.splits.items() for of in _REST
            )
            rest = {name: values.contiguous() for name, values in parts if values is not None}
            files.write_atomically(folder / REST, save(rest))
            content["data"] = {name: getattr(data, name) for name in PLAIN}
            content["data"] |= {"arguments": data.arguments.to_json()}
            content["preparation"] = data.preparation.to_json()
        self.keep_files(content, data)

    def keep_files(self, content: Mapping[str, object], owner: object) -> None:
        """Finish and keep the files that are in the folder, with this JSON content beside them. Without a
        cache folder they are kept only while ``owner`` exists."""
        if self._stays:
            self._publish(content)
        else:
            weakref.finalize(owner, _remove, self.folder(), self._lock, os.getpid())
            self._folder = None

    def kept_files(self) -> tuple[Path, dict[str, Any]] | None:
        """The folder and the JSON content that ``keep_files`` kept for the same request; None without an
        undamaged one."""
        if not self._stays or not self._root.is_dir():
            return None
        manifest = self._manifest()
        return None if manifest is None else (self._root / self.name, manifest)

    def _publish(self, content: Mapping[str, object]) -> None:
        """Write the manifest, flush all files to disk, and give the folder its name."""
        folder, path = self.folder(), self._root / self.name
        names = sorted(file.name for file in folder.iterdir() if file.name != lock.NAME)
        for name in names:
            with files.trouble(folder / name), (folder / name).open("rb") as file:
                os.fsync(file.fileno())
        manifest = {"asked": self._request, "files": _digests(folder, names), **content}
        files.write_atomically(folder / MANIFEST, signed(manifest))
        with files.trouble(path):
            if os.path.lexists(path):
                if self._manifest() is not None:  # another process wrote it
                    return
                old = folder.with_name(f"{folder.name}-old")
                os.rename(path, old)
                (shutil.rmtree if stat.S_ISDIR(os.lstat(old).st_mode) else os.unlink)(old)
            os.rename(folder, path)
            files._sync(self._root)
        assert self._lock is not None
        lock.release(self._lock, path / lock.NAME, unlink=True)
        self._folder = None

    def _manifest(self) -> dict[str, Any] | None:
        """The manifest of the complete folder, if its files are undamaged and were written for this request;
        else None."""
        try:
            file = files.inside(self._root, f"{self.name}/{MANIFEST}")
            manifest: dict[str, Any] = signed_value(files.read_bytes(file), file)
            for each in manifest["files"]:
                files.inside(self._root, f"{self.name}/{each}")
            same = manifest["asked"] == self._request
            same = same and _digests(self._root / self.name, manifest["files"]) == manifest["files"]
            return manifest if same else None
        except (TreinoError, KeyError, TypeError, ValueError):  # missing or damaged: prepare it again
            return None


def remove_unfinished(root: Path) -> None:
    """Remove the incomplete folders of processes that died."""
    for path in root.glob(f"{_UNFINISHED}*"):
        with suppress(OSError, TreinoError):
            inside = files.inside(root, f"{path.name}/{lock.NAME}")
            old = time.time() - path.stat().st_mtime > _YOUNG
            if lock.holder(inside) is None and (inside.exists() or old):
                shutil.rmtree(path)


def _is_file(source: object) -> bool:
    if not isinstance(source, str | os.PathLike) or source in BUILTINS:
        return False
    return os.path.isfile(source) or glob.has_magic(str(source))


def _remove(folder: Path, descriptor: int | None, process: int) -> None:
    if os.getpid() != process:  # this is a fork of the process that owns the folder
        return
    shutil.rmtree(folder, ignore_errors=True)
    if descriptor is not None:
        lock.release(descriptor, folder / lock.NAME)


def _digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each of these files, computed in parallel and cached in this process.

    A changed file has another modification time, size or inode; only the next process notices disk damage.
    """

    def digest_of(name: str) -> str:
        with files.trouble(folder / name):
            s = os.stat(folder / name)
        seen = (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns)
        if seen not in _KNOWN:
            _KNOWN[seen] = files.sha256(folder / name)
        return _KNOWN[seen]

    names = list(names)
    with ThreadPoolExecutor() as pool:
        return dict(zip(names, pool.map(digest_of, names), strict=True))


def _read(path: Path, manifest: Mapping[str, Any], **of_source: Any) -> Data | None:
    """The data in a folder that ``keep`` wrote; None if a file has vanished from it."""
    from safetensors.torch import load

    from treino.data.large_tables import read_inputs

    try:
        rest = load(files.read_bytes(path / REST))
    except TreinoError:
        return None
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in manifest["data"].items()}
    plain["arguments"] = LoadArguments.model_validate(plain["arguments"])
    preparation = Preparation.from_document(PreparationDocument.model_validate(manifest["preparation"]))
    rows: dict[str, Any] = {}
    for name, part in PARTS.items():
        held = {of: torch.clone(rest[f"{name}.{of}"]) for of in _REST if f"{name}.{of}" in rest}
        rows[name] = Rows(read_inputs(path, part, len(held["y"]), preparation.size), **held)
    return Data(preparation=preparation, **rows, **plain, **of_source)
