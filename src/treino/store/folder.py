"""A run's, sweep's or study's folder: made, written, sealed, read, and taken up again.

While it is being written its manifest says "running", and the files that are complete are already in it.
`seal` is the last step: SQLite's log is folded into one file, everything is hashed, and the manifest is
replaced by one that names how the run ended. A process that dies before leaves a folder that can be taken up.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.errors import TreinoError
from treino.store import database as db
from treino.store import files, lock, manifest, naming
from treino.store.checkpoint import SLOTS, Checkpoint, read_all, to_bytes
from treino.store.encoding import json_bytes, json_value, tensor_bytes, tensor_value
from treino.store.manifest import Manifest
from treino.words import _

if TYPE_CHECKING:
    from torch import Tensor


class RunFolder:
    """A handle on one folder. Make it with `create` (which takes the lock) or `open` (which only reads).

    A context manager: leaving it lets go of the database and the lock. `notices` holds sentences about what
    had to be worked around.
    """

    def __init__(self, path: Path, content: Manifest) -> None:
        self.path = path
        self.notices: list[str] = []
        self._manifest = content
        self._lock: int | None = None
        self._database: db.Database | None = None
        self._newest: tuple[int, str] | None = None  # generation and name of the last checkpoint

    # ---- making and opening

    @classmethod
    def create(
        cls,
        *,
        parent: Path | str = "runs",
        stem: str = "run",
        name: str | None = None,
        out: Path | str | None = None,
        kind: str = "run",
    ) -> "RunFolder":
        """Claim a new folder and its lock: `out`, `parent`/`name`, or the next of `parent`/`stem`-1, -2, …

        Errors: `name_taken`, `bad_name`, `out_not_empty`, and the disk's; nothing half-made is left behind.
        """
        if kind not in manifest.KINDS:
            raise ValueError(f"{kind!r} is not one of {manifest.KINDS}")
        made = True
        if out is not None:
            path = Path(out)
            made = naming.claim_out(path)
        elif name is not None:
            path = naming.claim_name(Path(parent), name)
        else:
            path = naming.claim_next(Path(parent), stem)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        folder = cls(path, Manifest(kind=kind, created=now))
        try:
            folder._lock = lock.acquire(path / lock.NAME)
            if (path / manifest.NAME).exists():  # another process was given the same empty folder
                folder.close()
                raise naming.occupied(path)
            db.Database.make(path / db.NAME)
            folder._put_manifest(folder._manifest)  # last, for it makes the folder a run
        except BaseException:
            if lock.held(folder._lock):
                for unwanted in (manifest.NAME, db.NAME, lock.NAME):
                    with suppress(TreinoError):
                        files.remove(path / unwanted)
                folder._release()
            if made:
                with suppress(OSError):
                    path.rmdir()
            raise
        return folder

    @classmethod
    def open(cls, path: Path | str, *, verify: bool = True) -> "RunFolder":
        """Open for reading. Errors: `run_missing`, `not_a_run`, `run_newer`, `run_damaged`, `file_missing`"""
        path = Path(path)
        folder = cls(path, manifest.read(path))
        if verify:
            folder.verify()
        return folder

    def lock(self) -> "RunFolder":
        """Take the lock, to go on writing. `run_busy` where a live process has it."""
        if not lock.held(self._lock):
            self._lock = lock.acquire(self.within(lock.NAME))
            try:
                self._manifest = manifest.read(self.path)
                if self._manifest.format != manifest.FORMAT:
                    raise TreinoError(
                        "run_older",
                        _(
                            "{path} is of an older treino (format {found}); it can be read, not changed."
                        ).format(path=self.path, found=self._manifest.format),
                        _("Start a new run from its settings."),
                    )
                for name in ("", "checkpoint", "keyframes"):
                    files.remove_leftovers(self.within(name))
                self._newest = None
            except BaseException:
                self._release()
                raise
            self._forget_database()
        return self

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Commit what was gathered, let go of database and lock. Unsealed, the run is then interrupted."""
        try:
            self._forget_database()
        finally:
            self._release()

    # ---- what it is

    @property
    def manifest(self) -> Manifest:
        """What the manifest says now; another process may be changing it unless this one holds the lock."""
        if not lock.held(self._lock):
            self._manifest = manifest.read(self.path)
        return self._manifest

    @property
    def kind(self) -> str:
        """run, sweep or study."""
        return self._manifest.kind

    @property
    def created(self) -> str:
        """When the folder was made: UTC, ISO 8601."""
        return self._manifest.created

    @property
    def status(self) -> str:
        """running (a live process holds it), finished, stopped, diverged, interrupted (or it died)."""
        content = self.manifest
        if content.sealed:
            return content.status
        if lock.held(self._lock) or lock.holder(self.within(lock.NAME)) is not None:
            return "running"
        content = self.manifest  # it may have been sealed between the two looks
        return content.status if content.sealed else "interrupted"

    def verify(self) -> None:
        """Read every file in the manifest, of a run that died the tables, too, which must have come as far
        as its checkpoint; TreinoError naming the first that differs or is missing."""
        content = self._manifest
        for name in content.files:
            if content.needs(name) or self.has(name):
                self.read_bytes(name)
        if not content.sealed and content.format == manifest.FORMAT and self.status == "interrupted":
            whole, _broken = self._checkpoints()
            db.Database.reading(self.within(db.NAME)).check(whole[0].mark if whole else None)

    # ---- files

    def within(self, name: str) -> Path:
        """The path of a file or folder in this one, whether it is there or not.

        Everything in the folder is reached through this, for the folder may come from anybody: TreinoError
        where something on the way there is a link, a pipe, a socket or a device.
        """
        return files.inside(self.path, name)

    def names(self, under: str) -> list[str]:
        """What lies in the sub-folder `under`, as names in this one; [] where there is no such folder."""
        place = self.within(under)
        try:
            found = sorted(os.listdir(place))
        except FileNotFoundError:
            return []
        return [f"{under}/{name}" for name in found if not name.startswith(".")]

    def has(self, name: str) -> bool:
        """Whether the file is there, and in the manifest where the run is sealed."""
        content = self.manifest
        listed = not content.sealed or name in content.files or _outside(name)
        return listed and self.within(name).is_file()

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Put a file into the folder, whole or not at all, and return its path.

        In pictures/ and exports/ at any time; everything else needs the lock, and goes into the manifest.
        """
        if not manifest.inside(name):
            raise ValueError(f"{name!r} is not a name inside a run's folder")
        path = self.within(name)
        if _outside(name):
            files.make_folder(path.parent)
            files.write_atomically(path, data)
            return path
        self._require_writing()
        listed = self._manifest.files
        before, digest = listed.get(name, manifest.ABSENT), files.digest(data)
        if digest not in before.split():
            self._record({**listed, name: f"{before} {digest}"})  # a crash leaves one of the two
        if path.parent != self.path:
            files.make_folder(path.parent)
        files.write_atomically(path, data)
        self._record({**listed, name: digest})
        return path

    def write_new(self, contents: Mapping[str, Sequence[Any]]) -> None:
        """Put many files into the folder that are not in it yet, each given in parts; the manifest tells of
        all of them at once.

        A process that dies before leaves files that the manifest doesn't know; `remove` takes them away.
        """
        self._require_writing()
        if contents:
            places = {name: self.within(name) for name in contents}
            for place in {path.parent for path in places.values()}:
                files.make_folder(place)
            files.write_new({places[name]: parts for name, parts in contents.items()})
            found = {name: files.digest(*parts) for name, parts in contents.items()}
            self._record({**self._manifest.files, **found})

    def remove(self, names: Iterable[str]) -> None:
        """Take files out of the manifest, then off the disk."""
        self._require_writing()
        gone = set(names)
        self._record({name: kept for name, kept in self._manifest.files.items() if name not in gone})
        for name in sorted(gone):
            files.remove(self.within(name))

    def read_bytes(self, name: str) -> bytes:
        """A file's content, its SHA-256 checked. Errors: `file_missing`, `run_damaged`, the disk's."""
        while True:
            content = self.manifest
            try:
                data: bytes | None = files.read_bytes(self.within(name))
            except TreinoError as error:
                if error.rule != "file_vanished":
                    raise
                data = None
            expected = content.files.get(name)
            unchecked = expected is None and (_outside(name) or not content.sealed)
            if data is not None and (unchecked or files.digest(data) in str(expected).split()):
                return data
            # the process that writes this run may have replaced the file between our two readings
            if self.manifest == content:
                raise self._unreadable(name, data, expected)

    def write_json(self, name: str, value: Any) -> Path:
        """Write a JSON file; NaN and the infinities become null."""
        return self.write_bytes(name, json_bytes(value))

    def read_json(self, name: str) -> Any:
        """A JSON file's value, checked, in today's format."""
        value = json_value(self.read_bytes(name), self.path / name)
        return manifest.migrated(self._manifest.format, name, value)

    def write_tensors(self, name: str, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, Any]) -> Path:
        """Write a safetensors file; `metadata` is anything that JSON takes, non-finite floats included."""
        return self.write_bytes(name, tensor_bytes(tensors, metadata))

    def read_tensors(self, name: str) -> tuple[dict[str, "Tensor"], dict[str, Any]]:
        """A safetensors file's tensors (aligned copies, on the CPU) and metadata, checked."""
        value = tensor_value(self.read_bytes(name), self.path / name)
        migrated: tuple[dict[str, Tensor], dict[str, Any]]
        migrated = manifest.migrated(self._manifest.format, name, value)
        return migrated

    # ---- checkpoints

    def checkpoint(self, tensors: Mapping[str, "Tensor"], meta: Mapping[str, Any]) -> None:
        """Keep the state to go on from, in place of the older of the two generations.

        All that the database was told before is on the disk first, so that nothing up to this state can miss.
        """
        self._require_writing()
        self.database.flush()
        if self._newest is None:
            whole, _broken = self._checkpoints()
            self._newest = (whole[0].generation, whole[0].name) if whole else (0, SLOTS[1])
        generation, name = self._newest
        name = SLOTS[name == SLOTS[0]]
        path = self.within(name)
        files.make_folder(path.parent)
        files.write_atomically(path, to_bytes(tensors, meta, generation + 1, self.database.mark()))
        self._newest = generation + 1, name

    def last_checkpoint(self) -> tuple[dict[str, "Tensor"], dict[str, Any]] | None:
        """The newest state to go on from, None where there is none.

        In a run that was not sealed, a torn or flipped one makes way for the other, with a notice and an
        event; in a sealed one every difference is an error. With the lock held, the losses in the database
        must be those that this state was reached with.
        """
        whole, broken = self._checkpoints()
        if broken and (self.manifest.sealed or not whole):
            raise next(iter(broken.values()))
        for name, error in broken.items():
            self.notices.append(_("{reason} The other checkpoint is used.").format(reason=error.message))
            if lock.held(self._lock):
                self.database.add_event(0, 0, "checkpoint_damaged", {"file": name})
        if not whole:
            return None
        if lock.held(self._lock) and not self._manifest.sealed:
            self.database.check(whole[0].mark)
        state: tuple[dict[str, Tensor], dict[str, Any]]
        state = manifest.migrated(self._manifest.format, whole[0].name, (whole[0].tensors, whole[0].meta))
        return state

    def _checkpoints(self) -> tuple[list[Checkpoint], dict[str, TreinoError]]:
        return read_all(self.path, self.read_bytes, self._manifest.files)

    # ---- the database

    @property
    def database(self) -> db.Database:
        """The run's tables: to write with the lock held, to read otherwise."""
        path = self.within(db.NAME)
        if lock.held(self._lock) and not self._manifest.sealed:
            if self._database is None:
                self._database = db.Database.writing(path)
            return self._database
        content = self.manifest
        if not content.sealed and content.format == manifest.FORMAT:
            return db.Database.reading(path)
        if self._database is None:
            data = self.read_bytes(db.NAME) if content.sealed else db.Database.reading(path).to_bytes()
            self._database = db.Database.in_memory(
                path, data, lambda connection: manifest.migrated(content.format, db.NAME, connection)
            )
        return self._database

    # ---- sealing

    def seal(self, status: str) -> None:
        """Complete the folder: `status` is finished, stopped, interrupted, diverged. Gives the lock back."""
        if status not in manifest.ENDS:
            raise ValueError(f"{status!r} is not one of {manifest.ENDS}")
        self._require_writing()
        self.verify()
        listed = {
            name: digest if " " not in digest else files.digest(self.read_bytes(name))
            for name, digest in self._manifest.files.items()
            if self._manifest.needs(name) or self.has(name)
        }
        whole, broken = self._checkpoints()
        listed |= {each.name: each.digest for each in whole}
        for name in broken:
            files.remove(self.within(name))
        # replaced by name instead of switched over in place, for that waits on everyone who has it open;
        # SQLite's own files hold the same pages, so a crash between these steps mixes nothing
        self.database.check(None)
        content = self.database.to_bytes()
        self._forget_database()
        files.write_atomically(self.within(db.NAME), content)
        self._remove_log()
        listed[db.NAME] = files.digest(content)
        self._record(listed, status)
        self._release()

    def unseal(self) -> None:
        """Take a sealed run up again: every file is checked, then it counts as running. The lock is taken."""
        self.lock()
        if self._manifest.sealed:
            self.verify()
            self._forget_database()
            self._remove_log()
            kept = {
                name: digest for name, digest in self._manifest.files.items() if name not in (db.NAME, *SLOTS)
            }
            self._record(kept, "running")

    # ---- inside

    def _put_manifest(self, content: Manifest) -> None:
        files.write_atomically(self.within(manifest.NAME), content.to_bytes())
        self._manifest = content

    def _record(self, listed: Mapping[str, str], status: str = "running") -> None:
        content = Manifest(self._manifest.kind, self._manifest.created, status, dict(listed))
        if content != self._manifest:
            self._put_manifest(content)

    def _require_writing(self) -> None:
        if not lock.held(self._lock) or self._manifest.sealed:
            raise TreinoError(
                "run_not_writing",
                _("{path} is open for reading only.").format(path=self.path),
                _("Take it up first: treino resume {path}").format(path=self.path),
            )

    def _forget_database(self) -> None:
        kept, self._database = self._database, None
        if kept is not None:
            kept.close()

    def _remove_log(self) -> None:
        for ending in ("-wal", "-shm", "-journal"):
            files.remove(self.within(db.NAME + ending))

    def _release(self) -> None:
        taken, self._lock = self._lock, None
        if taken is not None:  # a complete folder needs no lock file
            lock.release(taken, self.path / lock.NAME, unlink=self._manifest.sealed)

    def _unreadable(self, name: str, data: bytes | None, expected: str | None) -> TreinoError:
        if data is not None and expected is not None:
            return files.damaged(
                self.path / name, _("its content does not match its SHA-256 in the manifest")
            )
        if data is not None:
            return files.damaged(self.path / name, _("it is not in the manifest"))
        return TreinoError(
            "file_missing",
            _("{path} is not there.").format(path=self.path / name),
            _("Restore it from a copy of the run, or train again.") if expected else "",
        )


def _outside(name: str) -> bool:
    return name.split("/")[0] in manifest.OUTSIDE
