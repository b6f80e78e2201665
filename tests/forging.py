"""Folders as a stranger may send them: content changed, and every digest made anew so that it fits.

A digest guards against damage. Whoever can write a folder can write its digests too, as these functions do.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
UNLISTED = ("pictures", "exports")  # of no manifest
UNLISTED_WHILE_RUNNING = ("run.sqlite", "checkpoint")  # these change all the time, so no digest holds them


def forge(path: Path, name: str, edit: Callable[[Any], Any]) -> None:
    """Replace the value of the JSON file ``name`` in the folder ``path`` by what ``edit`` makes of it.

    All digests of the folder fit afterwards. Of ``manifest.json`` itself the value is written as ``edit``
    returns it, with a hash of its own that fits, so that a test may list what it likes.
    """
    file = path / name
    value = edit(json.loads(file.read_bytes()))
    if name == MANIFEST:
        _sign(path, value)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_written(value))
    reseal(path)


def reseal(path: Path) -> None:
    """List every file that lies in the folder now, with its digest, and sign the manifest.

    What is listed and is no regular file any more (a link, a FIFO, nothing at all) keeps its old entry.
    """
    content = json.loads((path / MANIFEST).read_bytes())
    out = UNLISTED if content["status"] != "running" else (*UNLISTED, *UNLISTED_WHILE_RUNNING)
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        own = file.name.startswith(".") or name.startswith("run.sqlite-") or name == MANIFEST
        if own or name.split("/")[0] in out or _of_another(file, path):
            continue
        if file.is_file() and not file.is_symlink():
            content["files"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
    _sign(path, content)


def _of_another(file: Path, path: Path) -> bool:
    """Whether the file lies in a folder inside that has a manifest of its own, as a sweep's best run has."""
    return any((p / MANIFEST).exists() for p in file.parents if path in p.parents)


def _sign(path: Path, content: dict[str, Any]) -> None:
    content.pop("sha256", None)
    content["sha256"] = hashlib.sha256(_written(content)).hexdigest()
    (path / MANIFEST).write_bytes(_written(content))


def _written(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")
