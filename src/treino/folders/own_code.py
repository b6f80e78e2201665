"""Files of the user's own losses, metrics, optimizers, schedules: run with permission, copied into folders.

A setting such as ``focal.py:focal`` becomes ``focal@3fa9c1d2``, with the hash of the file; the folder keeps
the file as ``own/focal-3fa9c1d2.py``, sealed, so that ``--trust`` finds the same code again.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from treino.base.own_objects import is_kept, is_own, keep, source_of
from treino.folders.access import Access
from treino.folders.network_source import NetworkSource, copied_file, network_files
from treino.folders.store import RunFolder
from treino.folders.user_network import value_in
from treino.settings.spec import names_file

OF_ENTRIES = "loss", "metric", "optimizer", "schedule"
"""The settings whose values are names of entries, which may be the user's own."""
_COPIES = re.compile(r"own/(?P<name>[A-Za-z_]\w*)-(?P<digest>[0-9a-f]{8})\.py")


def with_own_code(source: NetworkSource | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the names of kept objects in place of objects and of FILE.py:NAME. source: says what
    code may run.

    Raises:
        TreinoError: a file is missing or malformed, or may not run; it has no such name.
    """
    names = own_names(source, [settings[k] for k in OF_ENTRIES if names_file(k, settings.get(k))])
    asked = {k: v for k, v in settings.items() if k in (*OF_ENTRIES, "net")}
    return {**settings, **{k: keep(v) if callable(v) else names.get(str(v), v) for k, v in asked.items()}}


def own_names(source: NetworkSource | None, words: Iterable[str]) -> dict[str, str]:
    """``{FILE.py:NAME: name of the kept object}``; runs the files."""
    return {
        word: keep(value_in(file), file.name, hashlib.sha256(file.source).hexdigest()[:8], file.source)
        for word, file in network_files(source, words).items()
    }


def write_own_code(folder: RunFolder, names: Iterable[object]) -> None:
    """Copy the files of these objects into the folder; names of treino's own entries are passed over."""
    for name in names:
        if is_own(name) and (source := source_of(str(name))) is not None:
            folder.write_bytes(_copy(str(name)), source)


def copy_of(folder: Path, name: str) -> Path | None:
    """The folder's copy of the file of this object; None if it has none."""
    return path if is_own(name) and (path := folder / _copy(name)).is_file() else None


def _copy(name: str) -> str:
    return f"own/{name.replace('@', '-')}.py"


def restore_own_code(folder: RunFolder, access: Access) -> None:
    """Keep the objects of the folder's copies, if the user trusts it. Without trust nothing runs.

    Raises:
        TreinoError: a copy raises, or has no such name.
    """
    for path in folder.manifest.files if access.trust else ():
        match = _COPIES.fullmatch(path)
        if match and not is_kept(f"{match['name']}@{match['digest']}"):
            file = copied_file(folder, path, match["name"])
            keep(value_in(file), match["name"], match["digest"], file.source)
