"""The folder of a run, sweep or study: creating, writing, sealing, reading and reopening it.

While a run is written, its manifest has the status "running" and lists the complete files. `seal` is the last
step: it refuses commands, merges SQLite's log into its file, hashes all files, and writes the final status to
the manifest. A process that dies earlier leaves a folder that can be resumed.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base import files, lock
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.folders.store import database as db
from treino.folders.store import manifest, new_names
from treino.folders.store.checkpoint import SLOTS, Checkpoint, read_all, to_bytes
from treino.folders.store.folder_files import FILE_MISSING, FolderFiles
from treino.folders.store.manifest import Manifest
from treino.folders.store.new_names import clear, ended_before_it_began, has_no_checkpoint, is_leftover

if TYPE_CHECKING:
    from torch import Tensor

CHECKPOINTS_DAMAGED = Refusal(
    "{path} has no whole checkpoint to go on from. {reasons}",
    "Restore one from a copy, or train again. Nothing in the folder was changed.",
    rule=files.RUN_DAMAGED.rule,
)

_LOST = (lock.RUN_BUSY.rule, new_names.NAME_TAKEN.rule)  # another process was faster to make the folder
_ABSENT = (manifest.NOT_A_RUN.rule, FILE_MISSING.rule, files.FILE_VANISHED.rule)
_UNREADABLE = (files.RUN_DAMAGED.rule, FILE_MISSING.rule)


class RunFolder(FolderFiles):
    """A handle on one folder.

    Construct it with `create` (which takes the lock) or `open` (which only reads). As a context manager it
    closes the database and releases the lock on exit. `notices` says what was worked around.
    """

    def __init__(self, path: Path, content: Manifest) -> None:
        super().__init__(path, content)
        self.notices: list[str] = []
        self._database: db.Database | None = None
        self._ending = False  # whether the lock file keeps commands out
        self._newest: tuple[int, str] | None = None  # generation and name of the last checkpoint
        self._made = False  # whether this object created the folder

    # ---- creating and opening

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
        """Create and lock a new folder: `out`, `parent`/`name`, or the next of `parent`/`stem`-1, -2, …

        Errors: `name_taken`, `bad_name`, `out_not_empty`, and disk errors; none leaves an incomplete folder.
        """
        if kind not in files.KINDS:
            raise ValueError(f"{kind!r} is not one of {files.KINDS}")
        made = True
        if out is not None:
            path = Path(out)
            made = new_names.claim_out(path)
        elif name is not None:
            path = new_names.claim_name(Path(parent), name)
        else:
            path = new_names.claim_next(Path(parent), stem)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        folder = cls(path, Manifest(kind=kind, created=now))
        folder._made = made
        try:
            folder._lock = lock.acquire(path / lock.NAME)
            if not has_no_checkpoint(path):  # another process has used the folder meanwhile
                folder.close()
                raise new_names.in_use(path) if out is None else new_names.OUT_NOT_EMPTY(path=path)
            clear(path)
            db.Database.make(path / db.NAME)
            folder._put_manifest(folder._manifest)  # last, since it makes the folder a run
        except BaseException as error:
            folder.discard()
            lost = isinstance(error, TreinoError) and error.rule in _LOST
            if lost and name is None and out is None:  # another process locked the folder first
                return cls.create(parent=parent, stem=stem, kind=kind)
            raise
        return folder

    @classmethod
    def open(cls, path: Path | str, *, verify: bool = True) -> "RunFolder":
        """Open a folder for reading.

        Errors: `run_missing`, `not_a_run`, `run_newer`, `run_damaged`, `file_missing`.
        """
        path = Path(path)
        try:
            folder = cls(path, manifest.read(path))
            if verify:
                folder.verify()
        except TreinoError as error:
            if error.rule in _ABSENT and is_leftover(path):
                raise ended_before_it_began(path) from None
            raise
        return folder

    def lock(self) -> "RunFolder":
        """Take the folder's lock, to write. Error: `run_busy` if a live process holds the lock."""
        if not lock.held(self._lock):
            self._lock = lock.acquire(self.within(lock.NAME))
            try:
                self._manifest = manifest.read(self.path)
                folders = {os.path.dirname(name) for name in (*self._manifest.files, *SLOTS)}
                for name in sorted({"", "keyframes", *folders}):
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
        """Commit all records, close the database and release the lock. An unsealed run then has the status
        interrupted."""
        try:
            self._forget_database()
        finally:
            self._release()

    def discard(self) -> None:
        """Remove all files that treino wrote here, and the folder itself if this object created it."""
        if lock.held(self._lock):
            for undo in (self._forget_database, lambda: clear(self.path)):
                with suppress(TreinoError):
                    undo()
            self._release(unlink=True)
        if self._made:
            with suppress(OSError):
                os.rmdir(self.path)

    # ---- state

    @property
    def status(self) -> str:
        """running (a live process holds the lock), finished, stopped, diverged, or interrupted (also by a
        crash)."""
        content = self.manifest
        if content.sealed:
            return content.status
        if lock.held(self._lock) or lock.holder(self.within(lock.NAME)) is not None:
            return "running"
        content = self.manifest  # read again: another process may have sealed the run meanwhile
        return content.status if content.sealed else "interrupted"

    @property
    def missing(self) -> list[str]:
        """The required files that do not exist, because they were deleted."""
        while True:
            content = self.manifest
            needed = [*filter(content.needs, content.files), *([] if content.sealed else [db.NAME])]
            absent = [name for name in needed if not self.within(name).is_file()]
            if not absent or self.manifest == content:  # else the writing process removed them meanwhile
                return absent

    def verify(self, *, resume: bool = False) -> None:
        """Verify every file in the manifest; for a killed run also that the database's tables reach the
        checkpoint.

        Raises TreinoError naming the first file that differs or is missing. resume: skip keyframes, which a
        resume doesn't need, and checkpoints, of which it needs one: `last_checkpoint` verifies them.
        """
        content = self._manifest
        for name in content.files:
            if resume and (_keyframe(name) or name in SLOTS):
                continue
            if content.needs(name) or self.has(name):
                try:
                    self.read_bytes(name)
                except TreinoError as error:
                    raise (self._with_way_on(error) if name in SLOTS else error) from None
        if not content.sealed and self.status == "interrupted":
            whole, _broken = self._checkpoints()
            db.Database.reading(self.within(db.NAME)).check(whole[0].mark if whole else None)

    def note(self, *notices: str) -> None:
        """Add these to ``notices``, each once."""
        self.notices += [notice for notice in notices if notice not in self.notices]

    # ---- checkpoints

    def checkpoint(self, tensors: Mapping[str, "Tensor"], meta: Mapping[str, Any]) -> None:
        """Save a checkpoint, replacing the older of the two generations.

        The database is flushed first, so that no record from before the checkpoint can be missing.
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

    def last_checkpoint(self, *, replaced: bool = False) -> tuple[dict[str, "Tensor"], dict[str, Any]] | None:
        """Return tensors and metadata of the newest checkpoint, None without one.

        For the lock's holder, the other generation replaces a damaged one, with a notice and an event, and
        the losses in the database must match the checkpoint. For a reader any damage is an error, unless
        `replaced`: whether the other generation is good for it, too.
        """
        whole, broken = self._checkpoints()
        if broken and not whole:
            raise self._no_checkpoint(broken)
        for name, error in broken.items():
            if self.writing:
                self._note_damage(name, error)
            elif not replaced:
                raise self._with_way_on(error) from None
        if not whole:
            return None
        if self.writing:
            self.database.check(whole[0].mark)
        return whole[0].tensors, whole[0].meta

    def _note_damage(self, name: str, error: TreinoError) -> None:
        self.note(_("{reason} The other checkpoint is used.").format(reason=error.message))
        self.database.add_event(0, 0, "checkpoint_damaged", {"file": name})

    def _with_way_on(self, error: TreinoError) -> TreinoError:
        """The error of a damaged checkpoint; if the other one is whole, it says how the folder goes on."""
        goes_on = self.status == "interrupted" or (self.kind, self.status) == ("run", "stopped")
        if goes_on and self._checkpoints()[0]:
            error.hint = _("Go on from the other checkpoint: treino resume {folder}").format(folder=self.path)
        return error

    def _no_checkpoint(self, broken: Mapping[str, TreinoError]) -> TreinoError:
        """The error where no checkpoint is whole."""
        reasons = " ".join(error.message for error in broken.values())
        return CHECKPOINTS_DAMAGED(path=self.path, reasons=reasons)

    def _checkpoints(self) -> tuple[list[Checkpoint], dict[str, TreinoError]]:
        return read_all(self.path, self.read_bytes, self._manifest.files, _UNREADABLE)

    # ---- the database

    @property
    def database(self) -> db.Database:
        """The run's database: writable if this object holds the lock of an unsealed run, else read-only."""
        path = self.within(db.NAME)
        if lock.held(self._lock) and not self._manifest.sealed:
            if self._database is None:
                self._database = db.Database.writing(path)
            return self._database
        if not self.manifest.sealed:
            return db.Database.reading(path)
        if self._database is None:
            self._database = db.Database.in_memory(path, self.read_bytes(db.NAME))
        return self._database

    # ---- sealing

    def take_commands(self, accept: bool) -> None:
        """Allow or refuse commands from other processes, until the next call or the release of the lock.

        accept: False waits for a command that is being sent.
        """
        self._require_writing()
        if self._lock is not None and accept == self._ending:
            with lock.alone(self.path):
                lock.mark(self._lock, self.path / lock.NAME, ending=not accept)
            self._ending = not accept

    def refuse_commands(self) -> None:
        """Refuse new commands from now on, and all unread commands."""
        self.take_commands(False)
        self.database.refuse_commands()

    def seal(self, status: str) -> None:
        """Complete the folder with `status` finished, stopped, interrupted or diverged, and release the
        lock."""
        if status not in manifest.ENDS:
            raise ValueError(f"{status!r} is not one of {manifest.ENDS}")
        self.refuse_commands()
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
        # the file is replaced by rename, since changing it in place would wait for all readers;
        # SQLite's log holds the same pages, so a crash between these steps does no harm
        self.database.check(None)
        content = self.database.to_bytes()
        self._forget_database()
        files.write_atomically(self.within(db.NAME), content)
        self._remove_log()
        listed[db.NAME] = files.digest(content)
        self._record(listed, status)
        self._release()

    def unseal(self) -> None:
        """Reopen a sealed run for writing: take the lock, verify every file, and set the status to running.

        A damaged keyframe is dropped, and one damaged checkpoint of two, with a notice and an event.
        """
        self.lock()
        if self._manifest.sealed:
            self.verify(resume=True)
            whole, broken = self._checkpoints()
            if broken and not whole:
                raise self._no_checkpoint(broken)
            self._forget_database()
            self._remove_log()
            digests = {
                name: digest for name, digest in self._manifest.files.items() if name not in (db.NAME, *SLOTS)
            }
            self._record(digests, "running")
            self.database.check(None)
            for name, error in broken.items():
                files.remove(self.within(name))
                self._note_damage(name, error)
        for name in filter(_keyframe, [*self._manifest.files]):
            try:
                self.read_bytes(name)
            except TreinoError as error:
                if error.rule not in _UNREADABLE:
                    raise
                self.notices.append(_("{reason} The run goes on without it.").format(reason=error.message))
                self.database.add_event(0, 0, "keyframe_damaged", {"file": name})
                self.remove([name])

    # ---- inside

    def _forget_database(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def _remove_log(self) -> None:
        for ending in ("-wal", "-shm", "-journal"):
            files.remove(self.within(db.NAME + ending))

    def _release(self, *, unlink: bool = False) -> None:
        own_lock, self._lock, self._ending = self._lock, None, False
        if own_lock is not None:  # a sealed folder's lock file is deleted
            lock.release(own_lock, self.path / lock.NAME, unlink=unlink or self._manifest.sealed)


def _keyframe(name: str) -> bool:
    return name.startswith("keyframes/")
