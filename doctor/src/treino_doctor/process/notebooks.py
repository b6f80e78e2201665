"""Notebooks as scripts: the cells of a ``.ipynb``, in order, as one text of plain Python.

The text keeps every line at its number: whatever only Jupyter understands, magics and shell commands,
becomes ``pass`` or an empty line.
"""

import __future__

import ast
import json
import linecache
import re
import shlex
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from treino_doctor.base.errors import TreinoError
from treino_doctor.base.words import _
from treino_doctor.cells import name_cells, with_cells

ENDING = ".ipynb"
BODY_RUNS = "capture", "doctor", "memit", "mprun", "prun", "scalene", "time", "timeit", "wandb"
"""Cell magics below which the cell is Python, and runs in the notebook's namespace."""
STATEMENT_RUNS = "lprun", "memit", "mprun", "prun", "time", "timeit"
"""Line magics before a statement that runs in the notebook's namespace."""
_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names[2:])
_MAGIC = re.compile(r"\s*(?:(?P<name>[\w.,]+(?: +[\w.,]+)*)\s*=\s*)?(?P<mark>%%?|!!?|\?\??)(?P<rest>.*)")
_WITHOUT_MARK = re.compile(r"(pip|conda|mamba|uv|cd|ls|mkdir|rm|cp|mv|cat|env|matplotlib|load_ext)\s+\S.*")
_HELP = re.compile(r"\s*[\w.]+\?\??\s*(#.*)?")
_OPTIONS = re.compile(r"(\s*-\w+(\s*\d+)?)*\s*")
_TOO_DEEP = RecursionError, MemoryError  # which Python's compiler raises for code that is nested too deeply


@dataclass
class Notebook:
    """The code of a notebook. parts: its statements in order; a cell that isn't Python raises its SyntaxError
    when its turn comes. skipped: (cell, the line that only Jupyter understands)."""

    path: str
    parts: list[CodeType | SyntaxError] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)


def unfit(message: str, hint: str = "") -> TreinoError:
    """Return the error for a script that can't be run."""
    return TreinoError("script", message, hint or _("Give the script that trains."))


def read_notebook(target: str, data: bytes) -> Notebook:
    """The notebook in these bytes; tracebacks and the doctor can show its lines.

    Raises:
        TreinoError: it isn't a notebook, or isn't in Python (rule ``script``).
    """
    path = str(Path(target).absolute())
    notebook, texts = Notebook(path), []
    starts, line, flags = [], 1, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for number, source in enumerate(_sources(target, data), 1):
        cell = _Cell(source)
        notebook.skipped += [(number, text) for text in cell.skipped]
        starts.append(line)
        rows = cell.text.split("\n")
        try:
            for statement in _tree(cell.text, path, line).body:  # compiled one by one, as in Jupyter
                module = ast.Module([statement], [])
                code = compile(module, path, "exec", flags, dont_inherit=True)
                flags |= code.co_flags & _FUTURE
                notebook.parts.append(code)
        except SyntaxError as error:
            row = (error.lineno or line) - line
            error.text = "".join(rows[row : row + 1])  # Python may have taken it from the file
            notebook.parts.append(error)
            rows = [""] * len(rows)
        except ValueError as error:
            place = _("cell {cell}").format(cell=number)
            raise unfit(f"{target}, {place}: {error}") from None
        texts += rows
        line = len(texts) + 1
    lines = [text + "\n" for text in texts]  # not splitlines: Python ends no line at a form feed or U+2028
    linecache.cache[path] = sum(map(len, lines)), None, lines, path
    name_cells(path, starts)
    return notebook


def _tree(text: str, path: str, line: int) -> ast.Module:
    """The syntax tree of a cell's text, whose first line has this number.

    Raises:
        SyntaxError: it isn't Python, or is nested more deeply than Python can compile.
    """
    try:
        return ast.increment_lineno(ast.parse(text, path), line - 1)
    except SyntaxError as error:
        error.lineno, error.end_lineno = (n and n + line - 1 for n in (error.lineno, error.end_lineno))
        raise
    except _TOO_DEEP:
        raise SyntaxError(_("nested too deeply for Python"), (path, line, 1, None)) from None


def _sources(target: str, data: bytes) -> Iterator[str]:
    """Yield the text of each code cell that is not empty."""
    hint = _("Give a notebook as Jupyter saves it, or the script that trains.")
    try:
        document = json.loads(data)
        sources = [*map("".join, sources_of(document))]
    except (ValueError, RecursionError) as error:
        message = _("{path} is not a notebook: {reason}.").format(path=target, reason=error)
        raise unfit(message, hint) from None
    except (KeyError, TypeError, IndexError, AttributeError):
        message = _("{path} is not a notebook: it has no list of cells with their code.").format(path=target)
        raise unfit(message, hint) from None
    language = _language(document.get("metadata"))
    if not language.lower().startswith(("python", "ipython")):
        message = _("{path} is a notebook in {language}, not in Python.")
        hint = _("Give a notebook or a script in Python.")
        raise unfit(message.format(path=target, language=language), hint)
    yield from (source for source in sources if source.strip())


def sources_of(document: dict[str, Any]) -> list[Any]:
    """What a notebook's file has as the source of each code cell: a text, or a list of texts."""
    sheets = [document] if "cells" in document else document["worksheets"]
    codes = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] == "code"]
    sources = [cell["source"] if "source" in cell else cell["input"] for cell in codes]
    if not all(isinstance(source, str | list) for source in sources):
        raise TypeError
    return sources


def _language(metadata: Any) -> str:
    """The language that a notebook's metadata name, or Python if they name none as Jupyter does."""
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        facts = metadata.get(part) if isinstance(metadata, dict) else None
        name = facts.get(key) if isinstance(facts, dict) else None
        if isinstance(name, str) and name:
            return name
    return "python"


def _words(line: str) -> list[str]:
    """The words of a magic's line, without the quotes around a name; a quote without its end is a letter."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


class _Cell:
    """The Python text of one cell. skipped: the lines that are left out."""

    def __init__(self, source: str) -> None:
        self.skipped: list[str] = []
        self._begin = 0  # the line from which magics are looked for: a magic that stands alone was above it
        self._lines = source.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
        first = next(i for i, line in enumerate(self._lines) if line.strip())
        indent = self._lines[first][: -len(self._lines[first].lstrip())]
        self._lines = [line.removeprefix(indent) for line in self._lines]
        if self._lines[first].startswith("%%"):
            self._cell_magic(first)
        while (place := self._misfit()) is not None:
            self._line_magic(place)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def _cell_magic(self, first: int) -> None:
        head = self._lines[first]
        name, _space, rest = head[2:].partition(" ")
        if name in BODY_RUNS:
            self._lines[first] = ""
        elif name in ("writefile", "file") and (words := _words(rest)):
            body = "\n".join(self._lines[first + 1 :]) + "\n"
            mode = "a" if "-a" in words[:-1] else "w"
            write = f"with open({words[-1]!r}, {mode!r}) as _file: _ = _file.write({body!r})"
            self._lines = [*[""] * first, write, *[""] * (len(self._lines) - first - 1)]
        else:
            self.skipped.append(head.strip())
            self._lines = [""] * len(self._lines)

    def _misfit(self) -> int | None:
        """The line of a magic, found from Python's error; None if there is none, or the error is the
        author's own."""
        try:
            ast.parse("\n".join(self._lines[self._begin :]))
        except SyntaxError as error:
            place = self._begin + (error.lineno or 0) - 1
            alone = sum(map(bool, self._lines)) == 1
            forms = (_MAGIC, _HELP, _WITHOUT_MARK) if alone else (_MAGIC, _HELP)
            if 0 <= place < len(self._lines) and any(f.fullmatch(self._lines[place]) for f in forms):
                return place
        except (ValueError, *_TOO_DEEP):
            return None
        return None

    def _line_magic(self, place: int) -> None:
        line = self._lines[place]
        last = place
        while self._lines[last].endswith("\\") and last + 1 < len(self._lines):
            last += 1
        indent = line[: len(line) - len(line.lstrip())]
        match = _MAGIC.match(line)
        kept = "pass"
        if match is None:
            self.skipped += [] if _HELP.fullmatch(line) else [line.strip()]
        elif match["mark"][0] != "?" and not _HELP.fullmatch(line):
            word, _space, rest = match["rest"].partition(" ")
            target = f"{match['name']} = " if match["name"] else ""
            statement = rest[_OPTIONS.match(rest).end() :]  # type: ignore[union-attr]
            if match["mark"] == "%" and word in STATEMENT_RUNS and statement:
                kept = target + statement
            else:
                self.skipped.append(line.strip())
                kept = f"{target}[]" if target else kept
        self._lines[place : last + 1] = [indent + kept, *[""] * (last - place)]
        if not indent:
            self._begin = place


# ---- the run


def _display(*objects: object, **_options: Any) -> None:
    """Jupyter's ``display`` outside of Jupyter: print the objects as text."""
    print(*objects, sep="\n")


NAMES: dict[str, Any] = {"display": _display, "get_ipython": lambda: None}
"""Names that a notebook has in its namespace besides Python's own."""


def print_error(error: BaseException) -> None:
    """Print a traceback in which places in notebooks are named by cell."""
    sys.stderr.write(with_cells("".join(traceback.format_exception(error))))
