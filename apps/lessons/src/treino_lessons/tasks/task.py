"""A task: a script of which a pupil gets a file, to write in it or to mend it; hints, and a judgement.

A script begins with lines ``# WORD: TEXT``, which a pupil doesn't get. Its docstring follows: the first
paragraph is the title, the others say what to do. The words that people read are English there, and are
translated when they are shown. ``exercise.py`` and ``kata.py`` say what else their scripts hold.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from treino.base.errors import Refusal, nearest
from treino.base.words import _

TASK_NAME = Refusal("There is no {kind} {name!r}.", "{hint}")
TASK_LINE = Refusal("{path} doesn't say which {kind} it is.", "Put its first line back, such as {line}")
SCRIPT_MISSING = Refusal("There is no file {path}.", "Check the path.", rule="script")
SCRIPT_UNREADABLE = Refusal("{path} can't be read.", "Check the path.", rule="script")
SCRIPT_TEXT = Refusal("{path} is not a text in UTF-8.", "Give the file that you wrote.", rule="script")

WIDTH = 88  # columns of a docstring
Observed = Callable[[dict[str, Any]], None]  # is told what was observed of a file
_HEAD = re.compile(r"# ([a-z]+): (.+)\n")


class Check(NamedTuple):
    """One check of a file. name: a stable name for JSON."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Verdict:
    """The judgement of a pupil's file.

    document: as JSON. message: what stands beside the verdict. remarks: sentences after it. output: the end
    of what the file printed. tried: whether the pupil had written something. figures: for the record.
    """

    passed: bool
    document: dict[str, Any]
    checks: Sequence[Check] = ()
    message: str = ""
    remarks: Sequence[str] = ()
    output: str = ""
    tried: bool = True
    figures: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A script. head: (word, text) of its first lines. body: the lines after them, in English."""

    kind: ClassVar[str]  # in JSON, and in the first line of a pupil's file
    verb: ClassVar[str]  # of the command line
    file: ClassVar[str]  # with which the name of a pupil's file begins
    scripts: ClassVar[Path]
    recorded: ClassVar[dict[str, str]]  # key of the list's JSON -> field of the record
    given: ClassVar[str]  # said of the file that a pupil gets
    tally: ClassVar[str]  # said of all tasks that are done
    verdicts: ClassVar[tuple[str, str]]  # said of a file: that it isn't right yet; that it is

    name: str
    head: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """The task in a file."""
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        head: list[tuple[str, str]] = []
        while (match := _HEAD.fullmatch(lines[len(head)])) is not None:
            head.append((match[1], match[2]))
        return cls(path.stem, tuple(head), "".join(lines[len(head) :]))

    @classmethod
    def names(cls) -> list[str]:
        """The names of all tasks of this kind, the easiest first."""
        raise NotImplementedError

    @classmethod
    def named(cls, name: str) -> Self:
        """The task of this name.

        Raises:
            TreinoError: exercise_name, kata_name.
        """
        if name not in (names := cls.names()):
            refusal = TASK_NAME.named(f"{cls.kind}_name")
            raise refusal(kind=_(cls.kind), name=name, hint=nearest(name, names))
        return cls.read(cls.scripts / f"{name}.py")

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the task that a pupil's file names in a line, such as ``# kata: NAME``.

        Raises:
            TreinoError: exercise_line, kata_line; exercise_name, kata_name; script.
        """
        if (line := re.search(rf"^# {cls.kind}: ([\w-]+)", script_text(path), re.M)) is None:
            refusal = TASK_LINE.named(f"{cls.kind}_line")
            raise refusal(path=path, kind=_(cls.kind), line=f"# {cls.kind}: {cls.names()[0]}")
        return cls.named(line[1])

    def said(self, word: str) -> list[str]:
        """What the head's lines with this word say."""
        return [text for name, text in self.head if name == word]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The docstring's paragraphs in English, each in one line."""
        text = ast.get_docstring(ast.parse(self.body)) or ""
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]

    @property
    def title(self) -> str:
        return _(self.paragraphs[0])

    @property
    def story(self) -> list[str]:
        """The paragraphs after the title."""
        return [_(paragraph) for paragraph in self.paragraphs[1:]]

    @property
    def docstring(self) -> str:
        """The docstring as a pupil gets it."""
        wrapped = [self.title, *("\n".join(textwrap.wrap(paragraph, WIDTH)) for paragraph in self.story)]
        return '"""{}\n"""'.format("\n\n".join(wrapped))


def script_text(path: Path) -> str:
    """The text of a pupil's file.

    Raises:
        TreinoError: script.
    """
    try:
        if not path.is_file():
            raise SCRIPT_MISSING(path=path)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SCRIPT_TEXT(path=path) from None
    except OSError:
        raise SCRIPT_UNREADABLE(path=path) from None
