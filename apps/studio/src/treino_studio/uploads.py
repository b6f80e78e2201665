"""Uploaded tables and archives, stored beside the runs, and the document of the studio's home page."""

import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from treino.base.encoding import compact_json
from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.files import inside, make_folder, remove_leftovers, trouble
from treino.base.text import shortened
from treino.base.words import _, language
from treino.folders import RUN_MISSING, Known, delete, detailed_listing, run_folders
from treino.settings import OF_DATA, OF_PLACE

UPLOAD_LARGE = Refusal(
    "A file that is sent to the studio may have {room:,} bytes.", "Use the command line: treino studio FILE"
)
UPLOAD_LATE = Refusal(
    "The file did not arrive within {seconds:.0f} seconds.", "Use the command line: treino studio FILE"
)
UPLOAD_SUFFIX = Refusal(
    "{name} is neither a table nor an archive of pictures by its name.", "It ends with one of: {suffixes}"
)
STUDIO_SLOW = Refusal(
    "Reading this takes longer than {seconds:.0f} seconds.", "Use the command line: {command}"
)
UNREAD = Refusal("This could not be read.", status=1)
UPLOAD_EMPTY = Refusal("The file is empty.", "Choose another file.")

# ---- uploads

LARGEST = 200_000_000  # maximum bytes of one table or archive
ALL = 2_000_000_000  # maximum bytes of all of them
SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".parquet", ".arrow", ".feather", ".jsonl", ".ndjson", ".json"),
    *(".csv.gz", ".tsv.gz", ".txt.gz", ".jsonl.gz", ".zip", ".tar", ".tar.gz", ".tgz"),
)


STEM = 40  # maximum number of characters of a name
FOLDER = ".uploads"  # a folder in the folder of runs
ABANDONED = 3600.0  # seconds after which a file that no longer grows is a dead process's


class Uploads:
    """The tables and archives uploaded to the studios of one folder of runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def names(self) -> list[str]:
        with trouble(self._folder):
            entries = [each for each in self._entries() if each.is_file(follow_symlinks=False)]
            return [each.name for each in entries if not each.name.startswith(".")]  # complete ones only

    def _entries(self) -> list[os.DirEntry[str]]:
        """The entries of the folder; empty if it doesn't exist or is a link."""
        if self._folder.is_symlink() or not self._folder.is_dir():
            return []
        with os.scandir(self._folder) as entries:
            return sorted(entries, key=lambda each: each.name)

    def path(self, name: str) -> Path | None:
        """The path of the upload of this name; None if there is none."""
        return self._folder / name if name in self.names else None

    async def save(self, name: str, parts: AsyncIterator[bytes], size: int | None) -> Path:
        """Save an upload under a new name while it arrives; return its path.

        name: the user's file name; letters, digits and its suffix are used. size: in bytes, if known.

        Raises:
            TreinoError: the suffix is not allowed, the file is empty or too large, the disk is full, or the
                folder is a file or a link. Then nothing of it is kept.
        """
        suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s)), None)
        if suffix is None:
            raise UPLOAD_SUFFIX(name=repr(name[-60:]), suffixes=", ".join(SUFFIXES))
        make_folder(self._folder.parent)
        with trouble(self._folder), suppress(FileExistsError):
            self._folder.mkdir(mode=0o700)
        inside(self._folder.parent, f"{self._folder.name}/upload")  # the folder is no link and no file
        remove_leftovers(self._folder, ABANDONED)
        with trouble(self._folder):
            entries = self._entries()
            room = min(
                LARGEST, max(0, ALL - sum(each.stat(follow_symlinks=False).st_size for each in entries))
            )
        if size is not None and size > room:
            raise UPLOAD_LARGE(room=room)
        own = re.split(r"[/\\]", name[: -len(suffix)])[-1]
        stem = re.sub(r"\W+", "-", own).strip("-")[:STEM] or "upload"
        taken = {each.name.strip(".").partition(".")[0].lower() for each in entries}
        numbered = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        path = self._folder / (next(each for each in numbered if each.lower() not in taken) + suffix)
        written, temporary = 0, self._folder / f".{path.name}.tmp"
        with trouble(path), temporary.open("xb") as file:
            try:
                async for part in parts:
                    written += len(part)
                    if written > room:
                        raise UPLOAD_LARGE(room=room)
                    file.write(part)
                if not written:
                    raise UPLOAD_EMPTY()
                file.flush()
                os.rename(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return path


# ---- home page

MEMBER = re.compile(r":\d{1,9}$")
SHOWN = 60  # maximum number of characters of a name in a message
UPLOAD_SECONDS = 600.0  # time limit for an upload to arrive
SECONDS = 120.0  # time limit for reading and describing a table


def folder_named(name: str, folder: Path) -> Path:
    """The path of the run, sweep or study of this name; ``sweep-1:17`` names a sweep's network.

    The name must be an entry of the folder; paths and links are refused.

    Raises:
        TreinoError: no such entry (the hint gives the nearest name), or the name is a path or a link.
    """
    stem = MEMBER.sub("", name)
    path = folder / stem
    length = len(stem.encode("utf-8", "replace"))
    plain = 0 < length < 256 and stem[0] != "." and not {"/", "\\", "\0"} & {*stem}
    if not plain or path.is_symlink() or not path.is_dir():
        raise _missing(name, folder)
    return folder / name


def _missing(name: str, folder: Path) -> TreinoError:
    known = [each.name for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
    return RUN_MISSING(
        name=shortened(name, SHOWN),
        hint=nearest(name[:SHOWN], known) if known else _("Train one: treino train wine"),
    )


USUAL = "lr", "hidden", "batch_size", "optimizer", "epochs"  # settings that the table can always show
UNSHOWN = {*OF_DATA, *OF_PLACE, "net", "engine", "threads", "device"}  # settings that it never shows


def home(
    folder: Path, builtins: list[dict[str, Any]], uploads: list[str], known: Known, version: str
) -> bytes:
    """The document of the home page; without its content if ``version`` is still the newest.

    known: of ``detailed_listing``.
    """
    rows = detailed_listing(folder, known)
    names = dict.fromkeys((*USUAL, *sorted({name for row in rows for name in row["asked"]} - UNSHOWN)))
    runs = []
    for row in rows:
        settings = {n: row["settings"][n] for n in names if row["settings"].get(n) is not None}
        runs.append({k: v for k, v in row.items() if k != "asked"} | {"settings": settings})
    content = {"runs": runs, "builtins": builtins, "data": uploads, "folder": str(folder)}
    newest = hashlib.sha256(compact_json(content)).hexdigest()[:16]
    return compact_json({"version": newest} | ({} if newest == version else content))


def delete_named(names: Sequence[str], folder: Path) -> None:
    """Delete the runs, sweeps and studies of these names, with all that is in their folders.

    Raises:
        TreinoError: one is not in the folder, or is in training; then nothing is deleted.
    """
    known = {path.name for path in run_folders(folder)}
    paths = {name: folder_named(name, folder) for name in names}
    for name, path in paths.items():
        if path.name not in known:
            raise _missing(name, folder)
    delete([*paths.values()])


async def document_of(*words: str, lang: str | None = None) -> dict[str, Any]:
    """The document of ``treino WORDS --json``, run in another process, as tables aren't trusted and reading
    them needs libraries that the server doesn't import. lang: its language; None: the studio's.

    Raises:
        TreinoError: the command's error, or the command takes longer than SECONDS.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "treino", *words, "--json", "--lang", lang or language()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _nothing = await asyncio.wait_for(process.communicate(), SECONDS)
        document = json.loads(output)
    except TimeoutError:
        raise STUDIO_SLOW(seconds=SECONDS, command="treino " + " ".join(words)) from None
    except ValueError:
        raise UNREAD() from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if isinstance(error := document.get("error"), dict):
        raise TreinoError(error["rule"], error["message"], error["hint"], status=process.returncode or 1)
    assert isinstance(document, dict)
    return document
