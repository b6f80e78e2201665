"""Reads the plain files and folders in another tool's folder. Links are counted, not followed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from treino.base import files
from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _

TRIALS_LARGE = Refusal(
    "trials_large",
    N_("'{path}' has {size:,} MiB, and at most {most:,} MiB are read."),
    N_("Export one line for each trial, without the curves."),
)
TRIALS_DAMAGED = Refusal(
    "trials_damaged", N_("'{path}' is damaged: it is not text."), N_("Restore it from a copy.")
)

LARGEST = 1 << 28  # bytes of one file in a folder


@dataclass(frozen=True)
class PlainFolder:
    """A folder, read without following links. links: those that were met, shared by its inner folders."""

    path: Path
    links: set[Path] = field(default_factory=set)

    def _entries(self, path: Path) -> list[os.DirEntry[str]]:
        with files.trouble(path), os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        self.links.update(Path(entry.path) for entry in found if entry.is_symlink())
        return [entry for entry in found if not entry.is_symlink()]

    def folders(self) -> "Iterator[PlainFolder]":
        """The folders in it, by name."""
        for entry in self._entries(self.path):
            if entry.is_dir(follow_symlinks=False):
                yield PlainFolder(Path(entry.path), self.links)

    def names(self) -> list[str]:
        """The names of the plain files in it."""
        return [entry.name for entry in self._entries(self.path) if entry.is_file(follow_symlinks=False)]

    def text(self, name: str) -> str | None:
        """The text of a plain file; None if it isn't there.

        Raises:
            TreinoError: the file is too large, not UTF-8, or can't be read.
        """
        path = self.path / name
        try:
            mode = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise files.problem(path, error.errno or 0, error.strerror or str(error)) from error
        if stat.S_ISLNK(mode.st_mode):
            self.links.add(path)
            return None
        if mode.st_size > LARGEST:
            raise too_large(path, mode.st_size, LARGEST)
        try:
            return files.read_bytes(path).decode()
        except UnicodeDecodeError:
            raise TRIALS_DAMAGED(path=path) from None

    def notes(self) -> list[str]:
        """Return a note if links were not followed."""
        if not self.links:
            return []
        first = min(self.links)
        return [_("{n:,} links were not followed, {path} for one.").format(n=len(self.links), path=first)]


def too_large(path: Path, size: int, most: int) -> TreinoError:
    """Make the error for a file that is too large to be read."""
    return TreinoError(
        "trials_large",
        _("'{path}' has {size:,} MiB, and at most {most:,} MiB are read.").format(
            path=path, size=size >> 20, most=most >> 20
        ),
        _("Export one line for each trial, without the curves."),
    )
