"""The document of the studio's home page, and the folders and data that pages can open by name."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

from treino.documents.listing import listing
from treino.errors import TreinoError, nearest
from treino.words import _, language

MEMBER = re.compile(r":\d{1,9}$")
SHOWN = 60  # letters of a name
SECONDS = 120.0  # for a table to be read and described


def folder_named(name: str, folder: Path) -> Path:
    """The run, sweep or study of that name in the folder, or a sweep's network as ``sweep-1:17``.

    Only entries of the folder itself can be named: no path, and no link.

    Raises:
        TreinoError: there is none (with the nearest name), or it is no name.
    """
    stem = MEMBER.sub("", name)
    path = folder / stem
    if not _is_plain(stem) or path.is_symlink() or not path.is_dir():
        known = [each.name for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
        raise TreinoError(
            "run_missing",
            _("There is no run {name}.").format(name=name if len(name) <= SHOWN else name[:SHOWN] + "…"),
            nearest(name[:SHOWN], known) if known else _("Train one: treino train wine"),
        )
    return folder / name


def _is_plain(name: str) -> bool:
    """Whether a name is neither a path nor hidden."""
    length = len(name.encode("utf-8", "replace"))
    return 0 < length < 256 and name[0] != "." and not {"/", "\\", "\0"} & {*name}


def home(folder: Path, builtins: list[dict[str, Any]], uploads: list[str]) -> dict[str, Any]:
    """The document of the home page."""
    return {"runs": listing(folder), "builtins": builtins, "data": uploads, "folder": str(folder)}


async def document_of(*words: str) -> dict[str, Any]:
    """The document of ``treino WORDS --json``, from a process of its own: tables aren't trusted, and reading
    them needs libraries that the server does without.

    Raises:
        TreinoError: the error of the command.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "treino", *words, "--json", "--lang", language()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _nothing = await asyncio.wait_for(process.communicate(), SECONDS)
        document = json.loads(output)
    except TimeoutError:
        raise TreinoError(
            "studio_slow",
            _("Reading this takes longer than {seconds:.0f} seconds.").format(seconds=SECONDS),
            _("Use the command line: {command}").format(command="treino " + " ".join(words)),
        ) from None
    except ValueError:
        raise TreinoError("unread", _("This could not be read."), status=1) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if isinstance(error := document.get("error"), dict):
        raise TreinoError(str(error["rule"]), str(error["message"]), str(error["hint"]))
    assert isinstance(document, dict)
    return document
