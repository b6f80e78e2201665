"""Tables from any source: a built-in's name, a file's path, a frame, or arrays."""

import difflib
import glob
import os
from pathlib import Path
from typing import Any

from treino.data import frames
from treino.data.builtins.registry import BUILTINS
from treino.data.memory import MemoryLimit
from treino.data.readers import ReaderOptions, read_file
from treino.data.table import Table
from treino.errors import TreinoError, nearest
from treino.words import _


class BuiltinName(str):
    """The name of a built-in data set, also if a file has the same name."""


def read(
    source: Any,
    reading: ReaderOptions | None = None,
    *,
    least_columns: int = 2,
    room: MemoryLimit | None = None,
) -> Table:
    """The table in a source: a built-in's name, a file's path or a pattern of paths, a frame of pandas,
    polars or Arrow, (X, y), or a 2-D array or tensor.

    reading: the known format of a file or of text cells; the rest is detected. least_columns: 1 if a file may
    hold a single feature and no target. room: the memory for a file's rows; more rows are copied to disk and
    read column by column.
    """
    if isinstance(source, BuiltinName):
        return BUILTINS[source].read(source)
    if isinstance(source, str):
        return _named(source, reading, least_columns, room)
    if isinstance(source, os.PathLike):
        return _file(os.fspath(source), reading, least_columns, room)
    if frames.is_frame(source):
        return frames.read_frame(source, reading)
    if isinstance(source, tuple) and len(source) == 2:
        return frames.read_pair(*source, reading)
    if frames.is_arrow(source):
        return frames.read_arrow(source, reading)
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return frames.read_matrix(source, reading)
    raise TreinoError(
        "data_type",
        _("Data can't be read from a {type}.").format(type=type(source).__name__),
        _("Give a built-in's name, a table's path, a frame of pandas or polars, or (X, y)."),
    )


def _named(source: str, reading: ReaderOptions | None, least_columns: int, room: MemoryLimit | None) -> Table:
    if "\0" in source or not source.strip():
        raise TreinoError(
            "data_unknown",
            _("'{source}' is no name of a data set or file.").format(source=source.replace("\0", "\\0")),
            _("Built-in: {names}.").format(names=", ".join(BUILTINS)),
        )
    if source not in BUILTINS:
        return _file(source, reading, least_columns, room)
    if Path(source).is_file():
        raise TreinoError(
            "data_ambiguous",
            _("'{name}' is a built-in data set, and a file here has that name too.").format(name=source),
            _("Write ./{name} for the file; for the built-in, rename the file.").format(name=source),
        )
    return BUILTINS[source].read(source)


def _file(source: str, reading: ReaderOptions | None, least_columns: int, room: MemoryLimit | None) -> Table:
    path = Path(source)
    try:
        source.encode()
    except UnicodeEncodeError:
        raise TreinoError(
            "data_name",
            _("The name '{source}' is not in UTF-8.").format(source=source),
            _("Rename the file."),
        ) from None
    if os.path.lexists(path):
        return read_file(source, reading, least_columns, room)
    if glob.has_magic(source):
        if any(os.path.isfile(match) for match in glob.iglob(source, recursive=True)):
            return read_file(source, reading, least_columns, room)
        raise TreinoError(
            "data_unknown",
            _("No file fits the pattern '{source}'.").format(source=source),
            _("Look where you are, and write the pattern in quotes: '{source}'.").format(source=source),
        )
    bare = path.name == source
    try:
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        beside = []
    close = difflib.get_close_matches(path.name, [*beside, *(BUILTINS if bare else ())], n=1, cutoff=0.6)
    if close:
        match = close[0] if bare else str(path.with_name(close[0]))
        hint = _("Did you mean '{name}'?").format(name=match)
    elif bare and not path.suffix:
        hint = nearest(source, BUILTINS)
    else:
        hint = _("Built-in: {names}.").format(names=", ".join(BUILTINS))
    raise TreinoError(
        "data_unknown",
        _("There is no file '{source}', and no built-in data set of that name.").format(source=source)
        if bare
        else _("There is no file '{source}'.").format(source=source),
        hint,
    )
