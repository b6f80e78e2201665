"""Tables that a page sends: kept with the runs that are trained on them, under names of ours, never run."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from treino.errors import TreinoError
from treino.words import _

LARGEST = 200_000_000  # bytes of one table
ALL = 2_000_000_000  # of all that a studio has
SUFFIXES = (
    ".csv", ".tsv", ".txt", ".parquet", ".arrow", ".feather", ".jsonl", ".ndjson", ".json",
    ".csv.gz", ".tsv.gz", ".txt.gz", ".jsonl.gz",
)  # fmt: skip


FOLDER = ".uploads"  # in the folder of runs
NAME = re.compile(r"upload-(\d{1,9})\.")


class Uploads:
    """The tables that were sent to the studios of one folder of runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir()) if self._folder.is_dir() else []

    def path(self, name: str) -> Path | None:
        """The file of that name; None where no such table was sent."""
        return self._folder / name if name in self.names else None

    async def save(self, name: str, parts: AsyncIterator[bytes], size: int | None) -> Path:
        """Write a table as it comes.

        name: as its owner calls it; only its suffix is kept. size: in bytes, as far as it is known.

        Raises:
            TreinoError: it is no table by its suffix, is empty, or too large.
        """
        suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s)), None)
        if suffix is None:
            raise TreinoError(
                "upload_suffix",
                _("{name} is no table by its name.").format(name=repr(name[-60:])),
                _("It ends with one of: {suffixes}").format(suffixes=", ".join(SUFFIXES)),
            )
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        room = min(LARGEST, ALL - sum(path.stat().st_size for path in self._folder.iterdir()))
        if size is not None and size > room:
            raise self._too_large(room)
        numbers = [int(found[1]) for each in self.names if (found := NAME.match(each)) is not None]
        path = self._folder / f"upload-{max(numbers, default=0) + 1}{suffix}"
        written = 0
        try:
            with path.open("xb") as file:
                async for part in parts:
                    written += len(part)
                    if written > room:
                        raise self._too_large(room)
                    file.write(part)
            if not written:
                raise TreinoError("upload_empty", _("The table is empty."), _("Choose another file."))
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise
        return path

    def _too_large(self, room: int) -> TreinoError:
        return TreinoError(
            "upload_large",
            _("A table that is sent to the studio may have {room:,} bytes.").format(room=max(0, room)),
            _("Use the command line: treino studio FILE"),
        )
