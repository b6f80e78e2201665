"""Make a table with a row for each picture: its file, split, class, and columns of a table of labels."""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal, TreinoError
from treino.base.files import FILE_UNREADABLE
from treino.base.text import composed
from treino.base.words import N_, _, joined, setting
from treino.data import sources
from treino.data.documents import LoadArguments
from treino.data.load_request import LoadRequest
from treino.data.photographs.album import Album
from treino.data.readers.reader_options import ReaderOptions
from treino.data.source_kinds import ENDINGS, AlbumTable
from treino.data.split_requests import USUAL_WORDS
from treino.data.table import Column, Table

_FOLDERS = N_("Put the pictures of each class into a folder with its name, or name a table: [[labels=FILE]].")
PICTURES_WITHOUT_CLASS = Refusal(
    "Nothing says of which class '{name}' is: no folder, no table, and no part of the name.", _FOLDERS
)
PICTURES_ONE_CLASS = Refusal("The pictures in '{path}' are all of one class, '{label}'.", _FOLDERS)
PATTERN_FORM = Refusal(
    "{setting} is no regular expression with one group: {pattern}",
    "A group is what stands between ( and ), as in {example}.",
)
PATTERN_NOWHERE = Refusal(
    "{pattern} is in no name of a picture; the first is {name}.", "Mend the regular expression: {setting}."
)
LABELS_SEVERAL = Refusal(
    "Several tables in '{path}' name its pictures: {names}.", "Name the one to learn from: {setting}."
)
LABEL_AMBIGUOUS = Refusal(
    "'{cell}' in {place} of '{table}' names {n} pictures: {a} and {b}.", "Write their paths inside '{path}'."
)
LABEL_TWICE = Refusal(
    "{name} has two labels: '{a}' in {first} and '{b}' in {second} of '{table}'.",
    "Leave one of the rows out.",
)
LABELS_COLUMNS = Refusal(
    "Columns '{a}' and '{b}' of '{table}' name as many pictures, and others in each row.",
    "Write names of files into one of them, such as {name}.",
)
LABELS_GONE = Refusal("There is no table '{name}' among the pictures in '{path}'.", "Put it back there.")
LABELS_NAMES = Refusal(
    "No column of '{table}' holds names of pictures in '{path}', such as {name}.",
    "Name the table whose rows are of these pictures.",
)
PICTURES_SPLIT_MIXED = Refusal(
    "The folders {names} name parts of a split, and '{other}' beside them doesn't.",
    "Move it away, or into one of them.",
)

FILE, PART, CLASS = "file", "split", "class"  # names of columns
PARTS = {word: part for word, part in USUAL_WORDS.items() if not word.isdigit()}  # 0 and 1 are classes
_SAMPLED = 1000  # rows of a table of labels by which the column of pictures' names is found
_LEAST_NUMBERS = 4  # least pictures that a column must name by numbers without their zeros, to exclude chance
_MOST_TABLES = 8  # maximum number of tables among the pictures that are examined
_NAMES = (
    r"([^/]*[^/ ._-])[ ._-]+\(?\d+\)?\.\w+$",
    r"([^/]*[^/\d])\d+\.\w+$",
    r"(?:^|/)\d+[ ._-]+([^/]+)\.\w+$",
)
"""Patterns of names that begin with the class, as in cat.12.jpg, or end with it, as in 12_cat.jpg."""


def label_table(album: Album, request: LoadRequest, absent: list[str] | None = None) -> Table:
    """A table with a row for each picture of an album: its ``file``; ``class`` and ``split`` by its folders
    or by its name; and the columns of a table of labels. Pictures without a label have empty cells.

    absent: a list that gets the names in the table of labels without a picture; None: a note lists them.
    """
    arguments, names = request.arguments, [file.name for file in album.files]
    part_N, folder_N, outer = _levels([name.split("/")[:-1] for name in names])
    notes, known = list[str](), _Names(names)
    columns = {FILE: _column(FILE, names)}
    if part_N is not None:
        columns[PART] = _column(PART, part_N)
    class_N = [folder[0] if folder else "" for folder in folder_N]
    in_folders = all(class_N) and len(set(class_N)) > 1
    if arguments.class_pattern is not None:
        class_N = _by_pattern(names, arguments.class_pattern, "class_pattern", notes)
        in_folders = True
    table, named = None, {None, *columns, CLASS} >= {arguments.target, *_columns_of(arguments)}
    if arguments.labels is not None or not in_folders or not named:
        table = _labels_of(album, known, request, needed=not in_folders)
    chooses = arguments.labels is not None or not in_folders  # the table determines the target
    if not in_folders and table is None:
        pattern = _pattern_of(names)
        if pattern is None:
            if len({*class_N}) > 1 or not (class_N[0] or outer):
                raise PICTURES_WITHOUT_CLASS(name=names[class_N.index("")])
            raise PICTURES_ONE_CLASS(path=album.source, label=class_N[0] or "/".join(outer))
        class_N = _by_pattern(names, pattern, "class_pattern", notes)
        in_folders = True
        text = _("The class is a part of the name, such as {name} in {file} ({pattern}).")
        notes.append(text.format(name=class_N[0], file=names[0], pattern=setting("class_pattern", pattern)))
    elif in_folders and arguments.class_pattern is None:
        if outer:
            text = _("All pictures lie in {folder}; their classes are the folders in it.")
            notes.append(text.format(folder="/".join(outer)))
        if deep := [name for name, folder in zip(names, folder_N, strict=True) if len(folder) > 1]:
            text = _("Pictures in folders inside a class's folder count for the class, such as {name}.")
            notes.append(text.format(name=deep[0]))
    if in_folders:
        columns[CLASS] = _column(CLASS, list(map(composed, class_N)))
    target, sha256 = CLASS if in_folders else None, None
    if table is not None:
        more, own = _joined_to(table, known, album, _columns_of(arguments), absent, notes)
        columns |= {column.name: column for column in more}
        if chooses and own is not None:
            target = own
        sha256 = table.table.sha256
    group = arguments.split_group
    if group is not None and group not in columns and _is_pattern(group):
        columns[group] = _column(group, _by_pattern(names, group, "split_group", notes))
    if left_out := _left_out(album, table):
        notes.insert(0, left_out)
    return Table(
        name=album.name,
        source=album.source,
        sha256=sha256,
        columns=tuple(columns.values()),
        place=lambda row: names[row],
        target=target if arguments.target is None else None,
        notes=tuple(notes),
    )


def given_split(table: Table) -> str | None:
    """The column that names a part of the split for each picture; None without one."""
    column = table.by_name.get(PART)
    if column is None or column.words is None:
        return None
    return PART if {str(word).lower() for word in column.words} <= set(PARTS) else None


def inside(album: Album, labels: str | None) -> str | None:
    """The name of a table of labels among the pictures; None if it lies elsewhere."""
    if labels is None or labels in album.tables:
        return labels if labels is None else str(labels)
    if isinstance(labels, AlbumTable):
        raise LABELS_GONE(name=labels, path=album.source)
    try:
        name = Path(labels).resolve().relative_to(album.path.resolve()).as_posix()
    except (OSError, ValueError, RuntimeError):  # before Python 3.13 a link to itself is the last of these
        return None
    return name if name in album.tables else None


def _column(name: str, words: Sequence[str]) -> Column:
    return Column(name, words=np.array(words, dtype=object))


def _left_out(album: Album, table: "_Labels | None") -> str:
    used = None if table is None else table.inside
    tables = tuple((name, _("a table that isn't used")) for name in album.tables if name != used)
    parts = replace(album, skipped=album.skipped + tables).left_out()
    return _("Left out: {parts}.").format(parts=parts) if parts else ""


# ---- classes and splits from folders


def _levels(folder_N: list[list[str]]) -> tuple[list[str] | None, list[list[str]], list[str]]:
    """Return (for each picture, the folder that names its split, or None; the folders inside that one,
    without those that all pictures share; the shared folders)."""
    outer: list[str] = []
    part_N = None
    while all(folder_N):
        first = {folder[0] for folder in folder_N}
        parts = {PARTS.get(name.lower()) for name in first}
        second = {folder[1].lower() if len(folder) > 1 else "" for folder in folder_N}
        if part_N is None and None not in parts:
            part_N = [folder[0] for folder in folder_N]
        elif part_N is None and len(parts - {None}) > 1:
            other = next(name for name in sorted(first) if name.lower() not in PARTS)
            raise PICTURES_SPLIT_MIXED(
                names=joined(sorted(first & {n for n in first if n.lower() in PARTS}), ", "), other=other
            )
        elif part_N is None and second <= set(PARTS) and len({PARTS[name] for name in second}) > 1:
            part_N = [folder[1] for folder in folder_N]  # cat/train, cat/test, dog/train
            folder_N = [[folder[0], *folder[2:]] for folder in folder_N]
            continue
        elif len(first) == 1:
            outer.append(folder_N[0][0])
        else:
            break
        folder_N = [folder[1:] for folder in folder_N]
    return part_N, folder_N, outer


# ---- classes from names


def _is_pattern(text: str) -> bool:
    """Whether a text is meant as a regular expression, not as a name."""
    return not set(text).isdisjoint("\\()[]{}*+?^$|")


def _by_pattern(names: list[str], pattern: str, name: str, notes: list[str]) -> list[str]:
    """The text that the pattern's group matches in each name; "" for a name without a match."""
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        compiled = re.compile("")
    if compiled.groups != 1:
        raise PATTERN_FORM.named(f"{name}_form")(
            setting=setting(name), pattern=pattern, example=r"patient-(\d+)"
        )
    word_N = [match[1] or "" if (match := compiled.search(each)) else "" for each in names]
    if not any(word_N):
        facts = {"pattern": pattern, "name": names[0], "setting": setting(name, pattern)}
        raise PATTERN_NOWHERE.named(f"{name}_nowhere")(**facts)
    if "" in word_N:
        text, first = _("Names without {pattern}: {n:,}, the first {name}."), names[word_N.index("")]
        notes.append(text.format(pattern=pattern, n=word_N.count(""), name=first))
    return word_N


def _pattern_of(names: list[str]) -> str | None:
    """The first usual pattern that all names match, if it gives two classes or more, of two on average."""
    for pattern in _NAMES:
        compiled = re.compile(pattern)
        match_N = [compiled.search(name) for name in names]
        classes = {match[1] for match in match_N if match}
        if all(match_N) and 2 <= len(classes) <= len(names) / 2:
            return pattern
    return None


# ---- a table of labels


@dataclass(frozen=True, eq=False)
class _Labels:
    """A table of labels. column: the one that names pictures. inside: its name in the album; None if it is
    elsewhere."""

    table: Table
    column: str
    inside: str | None


class _Names:
    """Finds the picture that a text names: by its path or the end of it, with or without extension, or by a
    longer path that ends so. Names as they are written come before those that differ by case, and these
    before those that differ by zeros before a number, as 7 and 0007, or by blanks around a part."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self._indexes: dict[Callable[[str], str], tuple[dict[str, list[int]], dict[str, list[int]]]] = {}

    def rows(self, text: str, zeros: bool = True) -> list[int]:
        """The rows of the pictures that the text may name, or []. zeros: also match without zeros."""
        text = text.replace("\\", "/").removeprefix("./")
        for form in (str.strip, lambda name: name.strip().lower(), _without_zeros)[: 2 + zeros]:
            wholes, ends = self._index(form)
            longer = key = form(text)
            found = wholes.get(key) or ends.get(key)
            while not found and (longer := longer.partition("/")[2]):
                found = wholes.get(longer)
            if found:
                return found
        return []

    def _index(self, form: Callable[[str], str]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """Rows by whole names, and by ends of names, in this form; each with and without file extension."""
        if form not in self._indexes:
            wholes: dict[str, list[int]] = {}
            ends: dict[str, list[int]] = {}
            for row, name in enumerate(self.names):
                for whole in {form(name), form(name.rpartition(".")[0])}:
                    wholes.setdefault(whole, []).append(row)
                    end = whole
                    while end:
                        ends.setdefault(end, []).append(row)
                        end = end.partition("/")[2]
            self._indexes[form] = wholes, ends
        return self._indexes[form]


def _without_zeros(name: str) -> str:
    """The name in lower case, without blanks around its parts or zeros before a number: a/7 for A/0007."""
    parts = [part.strip() for part in name.lower().split("/")]
    stem, ending = os.path.splitext(parts[-1])
    stem, ending = (stem, ending) if ending in ENDINGS else (parts[-1], "")
    number = re.fullmatch(r"0*(0|[1-9][0-9]*)(\.0+)?", stem.strip())
    return "/".join([*parts[:-1], (number[1] if number else stem.strip()) + ending])


def _columns_of(arguments: LoadArguments) -> set[str | None]:
    """The columns of a table by which pictures are split."""
    group = arguments.split_group
    by = {arguments.split_time, arguments.split_column}
    return by if group and _is_pattern(group) else {*by, group}


def _labels_of(album: Album, names: _Names, request: LoadRequest, needed: bool) -> _Labels | None:
    """The table of labels: the requested one, else the only table in the album that names its pictures."""
    labels = request.arguments.labels
    if labels is not None:
        inner = inside(album, labels)
        table = _read(album, labels, inner, request.reading)
        column = _naming(table, names, strict=False)
        if column is None:
            raise LABELS_NAMES(table=labels, path=album.source, name=names.names[0])
        return _Labels(table, column, inner)
    found: list[_Labels] = []
    errors: list[TreinoError] = []
    for name in sorted(album.tables, key=lambda name: (name.count("/"), name))[:_MOST_TABLES]:
        try:
            table = _read(album, name, name, request.reading)
        except TreinoError as error:
            errors.append(error)
            continue
        if (column := _naming(table, names, strict=True)) is not None:
            found.append(_Labels(table, column, name))
    if len(found) > 1:
        several = [str(each.inside) for each in found[:4]]
        which = setting("labels", several[0])
        raise LABELS_SEVERAL(path=album.source, names=joined(several, ", "), setting=which)
    if not found and needed and len(errors) == len(album.tables) == 1:
        raise errors[0]
    return found[0] if found else None


def _read(album: Album, labels: str, inner: str | None, reading: ReaderOptions | None) -> Table:
    if inner is None:
        return sources.read(Path(labels), reading)
    if album.path.is_dir():
        return sources.read(album.path / inner, reading)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / inner.rpartition("/")[2]
        try:
            path.write_bytes(album.read(inner))
            return replace(sources.read(path, reading), source=f"{album.source}/{inner}")
        except OSError as error:
            raise FILE_UNREADABLE(path=f"{album.source}/{inner}", reason=error.strerror) from None
        except TreinoError as error:
            raise error.saying(error.message.replace(str(path), f"{album.source}/{inner}")) from None


def _naming(table: Table, names: _Names, strict: bool) -> str | None:
    """The column that names most pictures, in a sample of the rows; if several do, the one of file names.

    strict: half of the cells must name pictures, or half of the pictures be named; always so if names match
    only without zeros. Raises TreinoError if two columns name equally many, but differ in some row.
    """
    sample = range(0, table.rows, max(1, table.rows // _SAMPLED))
    columns = [column for column in table.columns if column.seconds is None and not column.boolean]
    cells = {column.name: [column.cell(i) for i in sample] for column in columns}
    for zeros in (False, True):
        rows = {name: [names.rows(cell, zeros) for cell in of] for name, of in cells.items()}
        scores = {
            name: (len(set(chain(*rows[name]))), sum(c.lower().endswith(ENDINGS) for c in of))
            for name, of in cells.items()
        }
        most = max(scores.values(), default=(0, 0))
        best, *others = [name for name, score in scores.items() if score == most] or [""]
        enough = 2 * most[0] >= min(len(names.names), len(sample))
        if most[0] < (_LEAST_NUMBERS if zeros else 1) or ((strict or zeros) and not enough):
            continue
        if other := next((name for name in others if rows[name] != rows[best]), None):
            raise LABELS_COLUMNS(a=best, b=other, table=table.source, name=names.names[0])
        return best
    return None


def _joined_to(
    labels: _Labels,
    lookup: _Names,
    album: Album,
    by: set[str | None],
    absent: list[str] | None,
    notes: list[str],
) -> tuple[list[Column], str | None]:
    """Return the columns of a table of labels with a row for each picture, and the only one that may be the
    target, or None."""
    table, names, lacking = labels.table, lookup.names, list[str]()
    column = table.column(labels.column)
    others = [each for each in table.columns if each.name != column.name]
    row_N = np.full(len(names), -1, dtype=np.int64)
    twice, zeros = 0, ""
    for row in range(table.rows):
        cell = column.cell(row)
        at = lookup.rows(cell)
        if len(at) > 1:
            facts = {"cell": cell, "place": table.place(row), "table": table.source, "path": album.source}
            raise LABEL_AMBIGUOUS(n=len(at), a=names[at[0]], b=names[at[1]], **facts)
        if at and not zeros and not lookup.rows(cell, zeros=False):
            text = _("{cell} names {name}: zeros before a number, and blanks, don't count.")
            zeros = text.format(cell=cell, name=names[at[0]])
        if not at:
            lacking.append(cell or table.place(row))
        elif row_N[at[0]] < 0:
            row_N[at[0]] = row
        else:
            twice, first = twice + 1, int(row_N[at[0]])
            for a, b in ((each.cell(first), each.cell(row)) for each in others):
                if a != b:
                    facts = {"first": table.place(first), "second": table.place(row), "table": table.source}
                    raise LABEL_TWICE(name=names[at[0]], a=a, b=b, **facts)
    notes += table.notes
    text = _("Labels are read from {table}, whose column '{name}' names the pictures.")
    notes.append(text.format(table=labels.inside or table.source, name=column.name))
    notes += [zeros] if zeros else []
    if absent is not None:
        absent += lacking
    elif lacking:
        text = _("Labels of files that aren't there: {n:,}, the first {name}.")
        notes.append(text.format(n=len(lacking), name=lacking[0]))
    if twice:
        notes.append(_("Rows of labels left out because an equal one is above them: {n:,}.").format(n=twice))
    targets = [each.name for each in others if each.name not in {PART, *by}]
    return [_aligned(each, row_N) for each in others], targets[0] if len(targets) == 1 else None


def _aligned(column: Column, row_N: NDArray[np.int64]) -> Column:
    """The cells of these rows; missing for a row of -1."""
    none_N = row_N < 0
    taken = column.take(np.maximum(row_N, 0))
    if not none_N.any():
        return taken
    empty: dict[str, Any] = {"numbers": np.nan, "words": "", "seconds": np.nan}
    cells = {
        name: np.where(none_N, nothing, values)
        for name, nothing in empty.items()
        if (values := getattr(taken, name)) is not None
    }
    if "words" in cells:
        cells["words"] = cells["words"].astype(object)
    return replace(taken, **cells)
