"""The base class of the pages of sweeps and studies, which watch a folder and send its contents."""

import os
import stat
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from treino.base.errors import TreinoError
from treino.base.words import speaking
from treino.folders import RunFolder
from treino.folders.store import manifest
from treino.plots import drawn_places
from treino_studio.messages import PageMessage

LOOK = 0.5  # minimum seconds between two checks of the folder
SHARE = 10  # at most 1/10 of the time is spent on reading it
POINTS = 80  # maximum number of points of a curve

Send = Callable[[PageMessage, bytes], None]


def identity(path: Path) -> tuple[int, int] | None:
    """(device, inode) of the folder of a run, sweep or study; None if the path is missing or a link."""
    try:
        os.lstat(path / manifest.NAME)
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def in_pieces(path: Path) -> bool:
    """Whether the folder lacks a required file, as while it is being deleted."""
    try:
        return bool(RunFolder.open(path, verify=False).missing)
    except TreinoError as error:
        return error.rule in ("run_missing", "not_a_run")


class FolderPage:
    """The page of the folder in ``path``. send: sends a message and its body to the studio's server.

    Raises:
        TreinoError: the folder is missing or damaged.
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
        """The contents of the page, by kind of message."""

    def tick(self) -> bool:
        """Send the changes in the folder, if a check is due; return whether there were any."""
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
        """Return False: this page has no idle work."""
        return False

    def open(self) -> None:
        """Send everything again."""
        self._sent = {}
        self.changed()

    def changed(self) -> None:
        """Look at the folder at once, as after a command to it."""
        self._stamp, self._due = None, 0.0

    def _folder_stamp(self) -> Any:
        """A value that differs after a change of the folder's documents; None if the folder is unreadable."""
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
                    self._stamp = None  # another process is writing the folder: check again later
                    if RunFolder.open(self.path, verify=False).status != "running":
                        self._stamp = self._folder_stamp()
                        raise
                    return
            for kind, content in messages.items():
                self._put(language, kind, content)

    def _put(self, language: str, kind: str, content: Any) -> None:
        """Send a message, unless it equals the last one of its kind and language."""
        if self._sent.get((language, kind)) != content:
            self._sent[language, kind] = content
            self._send(PageMessage(key=self.key, language=language, send={kind: content}), b"")


def thinned(epochs: Sequence[int], values: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    """The points of curves to draw, at most 80: ``drawn_places`` of the first one."""
    first = np.array(next(iter(values.values()), [None] * len(epochs)), np.float64)
    places = drawn_places(epochs, first, POINTS)
    return {"epoch": [epochs[k] for k in places]} | {n: [v[k] for k in places] for n, v in values.items()}
