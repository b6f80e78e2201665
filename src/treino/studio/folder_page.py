"""Common parts of the pages of a sweep and of a study: they watch a folder and send its contents."""

import os
import stat
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.store import RunFolder, manifest
from treino.words import speaking

LOOK = 0.5  # seconds between two looks at the folder
SHARE = 10  # at most 1/10 of the time goes into reading it
POINTS = 80  # of a curve, at most

Send = Callable[[Mapping[str, Any], bytes], None]


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the folder of a run, sweep or study; None if there is none, or a link to one."""
    try:
        os.lstat(path / manifest.NAME)
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def in_pieces(path: Path) -> bool:
    """Whether a file is missing that the folder has to have, as of one that is being deleted."""
    try:
        return bool(RunFolder.open(path, verify=False).missing)
    except TreinoError as error:
        return error.rule in ("run_missing", "not_a_run")


class FolderPage:
    """The page of the folder in ``path``. send: a header and a body to the studio's server.

    Raises:
        TreinoError: there is no such folder, or it is damaged.
    """

    def __init__(self, key: str, path: Path, send: Send) -> None:
        self.key, self.path, self._send = key, path, send
        self.identity = identity(path)
        self.viewers, self.languages = 0, ["en"]
        self._due = 0.0
        self._stamp: Any = None
        self._sent: dict[tuple[str, str], Any] = {}
        RunFolder.open(path)

    @abstractmethod
    def messages(self, folder: RunFolder) -> dict[str, Any]:
        """The contents of the page, by kinds of messages."""

    def tick(self) -> bool:
        """Send what has changed in the folder; return whether anything has."""
        begin = time.monotonic()
        if not self.viewers or begin < self._due:
            return False
        stamp = self._folder_stamp()
        changed = bool(stamp != self._stamp)
        if changed:
            self._stamp = stamp
            self._show()
        spent = time.monotonic() - begin
        self._due = begin + max(LOOK, SHARE * spent)
        return changed

    def idle(self, seconds: float) -> bool:
        """Return False: this page has no work for quiet moments."""
        return False

    def open(self) -> None:
        """Send everything again."""
        self._sent, self._stamp, self._due = {}, None, 0.0

    def _folder_stamp(self) -> Any:
        """A value that changes with the documents of the folder; None if it can't be read."""
        try:
            with os.scandir(self.path) as entries:
                documents = [e for e in entries if not e.name.startswith("run.sqlite")]
                times = sorted((e.name, e.stat().st_mtime_ns) for e in documents)
            return times, RunFolder.open(self.path, verify=False).status
        except (OSError, TreinoError):
            return None

    def _show(self) -> None:
        for language in self.languages:
            with speaking(language):
                try:
                    folder = RunFolder.open(self.path, verify=False)
                    messages = self.messages(folder)
                except TreinoError:
                    self._stamp = None  # another process is writing it
                    if RunFolder.open(self.path, verify=False).status != "running":
                        self._stamp = self._folder_stamp()
                        raise
                    return
            for kind, content in messages.items():
                self._put(language, kind, content)

    def _put(self, language: str, kind: str, content: Any) -> None:
        """Send a message, unless it equals the last one."""
        if self._sent.get((language, kind)) != content:
            self._sent[language, kind] = content
            self._send({"key": self.key, "language": language, "send": {kind: content}}, b"")


def thinned(epochs: Sequence[int], values: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    """A curve of at most 80 evenly spaced points, with the first and the last."""
    last = len(epochs) - 1
    most = POINTS - 1
    places = range(last + 1) if last <= most else [round(k * last / most) for k in range(POINTS)]
    return {"epoch": [epochs[k] for k in places]} | {n: [v[k] for k in places] for n, v in values.items()}
