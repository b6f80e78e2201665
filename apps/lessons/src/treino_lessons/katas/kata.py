"""A kata: a script of ``scripts/`` with a fault, and its story, written in the reader's language.

The file is also a script of the doctor's bed, so its first lines are comments for tests: ``expect`` names the
fault and ``mend`` the lines of a right script (doctor/tests/bed_scripts.py). After these come

    # place: 1.2       the level, and the place in it
    # goal: 0.85       the least that a right script reaches on fresh rows: accuracy, or R² of numbers
    # restarts: 1      the most times that the optimizer may begin anew on the same weights, if it matters
    # ask: SENTENCE    the first hint, a question; one for each fault

Then follows what a learner gets: the story as a docstring, the task (imports, a function ``draw`` and the
rows that it draws, down to a comment that ends it) and the training. Words that people read are English there
and translated when the script is written: comments, the docstring, and texts that ``print`` is given.
"""

import ast
import io
import json
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from treino.base.errors import Refusal, nearest
from treino.base.words import N_, _, languages, speaking

KATA_NAME = Refusal("There is no kata {name!r}.", "{hint}")
KATA_LINE = Refusal("{path} doesn't say which kata it is.", "Put its first line back, such as # kata: wine")

SCRIPTS = Path(__file__).parent / "scripts"
TASK_ENDS = N_("---- the task ends here: what stands above stays as it is ----")
WIDTH = 88  # columns of a story
DRAW, ANSWERS = "draw", "answers"  # functions of every kata: the task's; the script's, from rows to answers
_HEAD = re.compile(r"# (expect|missed|allowed|needs|mend|place|goal|restarts|ask): (.+)")
_KATA = re.compile(r"# kata: ([\w-]+)")
_BETWEEN = r"\s*(?:\b(?:is|é)\b)?\s*[:=]?\s*(?:tensor\(\[*)?"  # a figure's name and its number
_NUMBER = r"[-+]?(?:(?:\d+(?:\.\d*|,\d+)?|\.\d+)(?:e[-+]?\d+)?|(?:nan|inf)\b)"  # re.I


@dataclass(frozen=True)
class Kata:
    """A script with a fault.

    head: (word, text) of the comments for tests. body: the script, in English.
    """

    name: str
    head: tuple[tuple[str, str], ...]
    body: str

    def _said(self, word: str) -> list[str]:
        return [text for name, text in self.head if name == word]

    @property
    def place(self) -> tuple[int, int]:
        """The level, and the place in it, both from 1."""
        level, place = self._said("place")[0].split(".")
        return int(level), int(place)

    @property
    def level(self) -> int:
        return self.place[0]

    @property
    def goal(self) -> float:
        """The least figure that a right script reaches on fresh rows."""
        return float(self._said("goal")[0])

    @property
    def restarts(self) -> int | None:
        """The most times that the optimizer of a right script begins anew; None where it doesn't matter."""
        return next(map(int, self._said("restarts")), None)

    @property
    def rules(self) -> list[str]:
        """The doctor's rules for its faults."""
        return [text.split()[0] for text in self._said("expect")]

    @property
    def accepted(self) -> set[str]:
        """Rules that the doctor may report for a right script, too."""
        return {text.split()[0] for text in self._said("allowed")} - {*self.rules}

    @property
    def questions(self) -> list[str]:
        """A question about each fault, in the reader's language."""
        return [_(text) for text in self._said("ask")]

    @cached_property
    def _paragraphs(self) -> list[str]:
        return paragraphs(self.body)

    @property
    def title(self) -> str:
        return _(self._paragraphs[0])

    @property
    def story(self) -> list[str]:
        """The story's paragraphs, without the title."""
        return [_(paragraph) for paragraph in self._paragraphs[1:]]

    @cached_property
    def figure(self) -> str:
        """The English name of the figure that the script prints last, such as ``test accuracy``."""
        return [text for _token, text in _printed(self.body)][-1]

    def printed_figure(self, output: str) -> float | None:
        """The number beside the figure's name, in any language, at its last place in the output, or None."""
        names = set()
        for language in languages():
            with speaking(language):
                names.add(re.escape(_(self.figure)))
        name = "|".join(sorted(names))
        found = re.findall(rf"^.*?(?:{name}){_BETWEEN}({_NUMBER})\s*(%?)", output, re.M | re.I)
        if not found:
            return None
        number, percent = found[-1]
        return float(number.replace(",", ".")) / (100 if percent else 1)

    @property
    def task(self) -> str:
        """The lines of the task: imports, ``draw`` and its rows."""
        return self.body.partition(f"# {TASK_ENDS}\n")[0]

    @property
    def first_line(self) -> int:
        """The first line of a given script that may be changed."""
        return self.text().partition(f"# {_(TASK_ENDS)}\n")[0].count("\n") + 2

    def text(self) -> str:
        """The script as a learner gets it, in the reader's language."""
        tokens = list(tokenize.generate_tokens(io.StringIO(self.body).readline))
        comments = [token for token in tokens if token.type == tokenize.COMMENT]
        changed = [(token, f"# {_(token.string[1:].strip())}") for token in comments]
        changed += [(token, json.dumps(_(text), ensure_ascii=False)) for token, text in _printed(self.body)]
        docstring = next(token for token in tokens if token.type == tokenize.STRING)
        changed.append((docstring, docstring_of(self.title, self.story)))
        lines = self.body.splitlines()
        for token, new in sorted(changed, key=lambda change: change[0].start, reverse=True):
            (first, start), (last, end) = token.start, token.end
            lines[first - 1 : last] = [lines[first - 1][:start] + new + lines[last - 1][end:]]
        return "\n".join([f"# kata: {self.name}", *lines]) + "\n"

    def sentences(self) -> Iterator[str]:
        """The sentences that are translated when the script is written."""
        yield from self._paragraphs
        yield from self._said("ask")
        for token in tokenize.generate_tokens(io.StringIO(self.body).readline):
            if token.type == tokenize.COMMENT and (text := token.string[1:].strip()) != TASK_ENDS:
                yield text
        yield from (text for _token, text in _printed(self.body))


def paragraphs(script: str) -> list[str]:
    """The paragraphs of a script's docstring in English, each in one line; the first is the title."""
    text = ast.get_docstring(ast.parse(script)) or ""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def docstring_of(title: str, story: list[str]) -> str:
    """The docstring that ``paragraphs`` reads."""
    wrapped = [title, *("\n".join(textwrap.wrap(paragraph, WIDTH)) for paragraph in story)]
    return '"""{}\n"""'.format("\n\n".join(wrapped))


def _printed(body: str) -> list[tuple[tokenize.TokenInfo, str]]:
    """The texts that ``print`` is given, each with its token, in their order."""
    calls = [node for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    places = {(a.lineno, a.col_offset) for call in prints for a in call.args if isinstance(a, ast.Constant)}
    tokens = tokenize.generate_tokens(io.StringIO(body).readline)
    strings = [token for token in tokens if token.type == tokenize.STRING and token.start in places]
    return [(token, ast.literal_eval(token.string)) for token in strings]


def read(path: Path) -> Kata:
    """The kata in a file."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    head: list[tuple[str, str]] = []
    while (match := _HEAD.fullmatch(lines[len(head)].rstrip("\n"))) is not None:
        head.append((match[1], match[2]))
    return Kata(path.stem, tuple(head), "".join(lines[len(head) :]))


def katas() -> dict[str, Kata]:
    """All katas by name, the easiest first."""
    every = sorted((read(path) for path in SCRIPTS.glob("*.py")), key=lambda kata: kata.place)
    return {kata.name: kata for kata in every}


def kata_named(name: str) -> Kata:
    """The kata of this name.

    Raises:
        TreinoError: kata_name.
    """
    every = katas()
    if name not in every:
        raise KATA_NAME(name=name, hint=nearest(name, every))
    return every[name]


def kata_of(text: str, path: str) -> Kata:
    """Return the kata that a learner's script names in its line ``# kata: NAME``.

    Raises:
        TreinoError: kata_line; kata_name.
    """
    line = next((m for m in map(_KATA.match, text.splitlines()) if m), None)
    if line is None:
        raise KATA_LINE(path=path)
    return kata_named(line[1])
