"""A file that settings from elsewhere may not reach: names of it, and a watch on who opens it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECRET = "zebra-4711"
_watched: set[str] = set()
_opened: list[str] = []


def secret_file(place: Path) -> Path:
    """A table outside of ``place / "own"``, with links to it and to its folder inside."""
    own, away = place / "own", place / "away"
    own.mkdir(exist_ok=True)
    away.mkdir(exist_ok=True)
    file = away / "secret.csv"
    file.write_text(f"file,kind\n0.png,{SECRET}\n1.png,other\n")
    (away / "net.py").write_text(f"raise SystemExit({SECRET!r})\n")
    (own / "link.csv").symlink_to(file)
    (own / "hole").symlink_to(away)
    return file


def names_of(file: Path) -> list[str]:
    """Texts that lead to the file, or to what lies beside it; each also with a name that isn't there."""
    names = [
        *(str(file), f"../away/{file.name}", "link.csv", f"hole/{file.name}", f"file://{file}"),
        *(str(file.parent), f"{file.parent}/*.csv", f"{file.parent}/net.py:Net", f"~/../{file}"),
    ]
    return [*names, *(name.replace("secret", "nothing").replace("net.py", "no.py") for name in names)]


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _watched and event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str | bytes | Path):
        path = os.path.realpath(os.fsdecode(args[0]))
        if any(path == each or path.startswith(each + "/") for each in _watched):
            _opened.append(path)


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """The paths in a folder that this process opens or lists meanwhile."""
    if not _opened and not _watched:
        sys.addaudithook(_hook)  # which can't be taken away; it does nothing while no folder is watched
    _watched.add(os.path.realpath(folder))
    _opened.clear()
    try:
        yield _opened
    finally:
        _watched.clear()
