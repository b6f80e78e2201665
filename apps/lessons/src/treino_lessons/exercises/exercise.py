"""An exercise: a function or a class to write, from a script of ``scripts/``, in the reader's language.

A script has these parts, in this order; ``forward`` stands for any name:

    # hint: SENTENCE      a hint, one for each step; the last one nearly says it
    the docstring         its first paragraph is the title, the others are the task
    imports               which the learner gets, too
    def forward(...)      the solution; the learner gets its first line (of a class, its methods', too)
    def cases()           yields the arguments of each call, anew for each who is asked
    def use(forward, ...) how one call is made, if it is more than forward(...): for a class
    def NAME(...)         a typical mistake, if it has a docstring, which is the hint for it
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, nearest
from treino.base.words import _
from treino_lessons.katas.kata import docstring_of, paragraphs

EXERCISE_NAME = Refusal("There is no exercise {name!r}.", "{hint}")
EXERCISE_LINE = Refusal(
    "{path} doesn't say which exercise it is.", "Put its first line back, such as # exercise: sum"
)

SCRIPTS = Path(__file__).parent / "scripts"
_HINT = re.compile(r"^# hint: (.+)\n", re.M)
_EXERCISE = re.compile(r"^# exercise: ([\w-]+)", re.M)
_Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Exercise:
    """A script of ``scripts/``."""

    name: str
    script: str

    @cached_property
    def _definitions(self) -> list[_Definition]:
        return [node for node in ast.parse(self.script).body if isinstance(node, _Definition)]

    @cached_property
    def _paragraphs(self) -> list[str]:
        return paragraphs(self.script)

    @property
    def title(self) -> str:
        return _(self._paragraphs[0])

    @property
    def task(self) -> list[str]:
        """The paragraphs after the title."""
        return [_(paragraph) for paragraph in self._paragraphs[1:]]

    @property
    def hints(self) -> list[str]:
        return [_(text) for text in _HINT.findall(self.script)]

    @property
    def called(self) -> str:
        """The name of what is to be written."""
        return self._definitions[0].name

    @property
    def header(self) -> str:
        """The first line of what is to be written."""
        return ast.unparse(self._emptied()).splitlines()[0]

    @property
    def solution(self) -> str:
        """The right function or class."""
        return ast.get_source_segment(self.script, self._definitions[0]) or ""

    def text(self) -> str:
        """The file that a learner gets."""
        imports = [n for n in ast.parse(self.script).body if isinstance(n, ast.Import | ast.ImportFrom)]
        head = [f"# exercise: {self.name}", docstring_of(self.title, self.task), ""]
        head += [*map(ast.unparse, imports), *([""] if imports else []), ""]
        return "\n".join([*head, ast.unparse(self._emptied())]) + "\n"

    def untouched(self, text: str) -> bool:
        """Whether the function in a file is still as it was given."""
        return ast.unparse(self._emptied()) in text

    def _emptied(self) -> _Definition:
        """The definition without its bodies."""
        found = ast.parse(self.solution).body[0]
        for node in [n for n in ast.walk(found) if isinstance(n, ast.FunctionDef)]:
            node.body = [ast.Expr(ast.Constant(...))]
        assert isinstance(found, _Definition)
        return found

    @cached_property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": self.name}
        exec(compile(self.script, self.name, "exec"), names)
        return names

    def run(self) -> tuple[Any, Callable[[], Iterator[Any]], dict[str, Any]]:
        """Run the script -> (the solution, ``cases``, {hint: the mistake that it is for})."""
        mistakes = {_(hint): self._names[name] for name, hint in self.mistakes.items()}
        return self._names[self.called], self._names["cases"], mistakes

    def use(self, function: Any, *arguments: Any) -> Any:
        """Make one call, as the script says."""
        own = self._names.get("use")
        return own(function, *arguments) if own else function(*arguments)

    @property
    def mistakes(self) -> dict[str, str]:
        """{name: the hint for it, in English} of the typical mistakes."""
        every = {node.name: ast.get_docstring(node) for node in self._definitions[1:]}
        return {name: " ".join(hint.split()) for name, hint in every.items() if hint}

    def sentences(self) -> Iterator[str]:
        """The sentences that are translated when they are shown."""
        yield from (*_HINT.findall(self.script), *self._paragraphs, *self.mistakes.values())
        for node in [each for d in self._definitions if d.name == "use" for each in ast.walk(d)]:
            if isinstance(node, ast.Dict):  # what it calls the parts of an answer
                yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))


def exercise_named(name: str) -> Exercise:
    """The exercise of this name.

    Raises:
        TreinoError: exercise_name.
    """
    every = sorted(path.stem for path in SCRIPTS.glob("*.py"))
    if name not in every:
        raise EXERCISE_NAME(name=name, hint=nearest(name, every))
    return read(SCRIPTS / f"{name}.py")


def read(path: Path) -> Exercise:
    """The exercise in a file."""
    return Exercise(path.stem, path.read_text(encoding="utf-8"))


def exercise_of(text: str, path: Path) -> Exercise:
    """Return the exercise that a learner's file names in its line ``# exercise: NAME``.

    Raises:
        TreinoError: exercise_line; exercise_name.
    """
    if (line := _EXERCISE.search(text)) is None:
        raise EXERCISE_LINE(path=path)
    return exercise_named(line[1])
