"""An exercise: a function or a class to write, judged by its answers, beside the solution's.

Its script has these parts, in this order; ``forward`` stands for any name:

    # hint: SENTENCE      a hint, one for each step; the last one nearly says it
    the docstring         the title and the task
    imports               which the pupil gets, too
    def forward(...)      the solution; the pupil gets its first line (of a class, its methods', too)
    def cases()           yields the arguments of each call, anew for each who is asked
    def use(forward, ...) how one call is made, if it is more than forward(...): for a class
    def NAME(...)         a typical mistake, if it has a docstring, which is the hint for it

Any style passes: a list, an array and a tensor of the same numbers are the same answer.
"""

import ast
import re
import signal
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from treino.base.errors import TreinoError
from treino.base.text import shortened
from treino.base.words import N_, _
from treino_lessons.course import HERE, pages
from treino_lessons.tasks.process import observed
from treino_lessons.tasks.task import Observed, Task, Verdict, script_text

SECONDS = 20.0  # for all calls of the pupil's function; those of a solution take up to 3
WIDEST = 160  # characters of an answer that is shown
_Definition = ast.FunctionDef | ast.ClassDef


class TooLong(BaseException):
    """The pupil's function is still running; no ``except Exception`` of its own holds this up."""


class Outcome(NamedTuple):
    """What is wrong with a pupil's function, and what to do about it; both are empty if it is right."""

    message: str = ""
    hint: str = ""


class Exercise(Task):
    """A function or a class to write."""

    kind, verb, file = N_("exercise"), "lessons", "lesson"
    scripts = HERE / "exercises" / "scripts"
    recorded: ClassVar = {name: name for name in ("hints", "checks", "tries", "solved", "shown")}
    given = N_("Write it into {path}.")
    tally = N_("{done} of {n} exercises are solved.")
    verdicts = N_("Not yet."), N_("Right.")

    @classmethod
    def names(cls) -> list[str]:
        return [page.exercise for page in pages() if page.exercise]

    @cached_property
    def _definitions(self) -> list[_Definition]:
        return [node for node in ast.parse(self.body).body if isinstance(node, _Definition)]

    @property
    def document(self) -> dict[str, Any]:
        return {"exercise": self.name, "title": self.title, "task": self.story}

    @property
    def hint_count(self) -> int:
        return len(self.said("hint"))

    def hints(self, count: int) -> list[str]:
        return [_(text) for text in self.said("hint")[:count]]

    @property
    def called(self) -> str:
        """The name of what is to be written."""
        return self._definitions[0].name

    @property
    def header(self) -> str:
        """The first line of what is to be written."""
        return self.blank.splitlines()[0]

    @property
    def solution(self) -> str:
        """The right function or class."""
        return ast.get_source_segment(self.body, self._definitions[0]) or ""

    @property
    def blank(self) -> str:
        """What is to be written, with dots in place of each body."""
        tree = ast.parse(self.solution)
        for node in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
            node.body = [ast.Expr(ast.Constant(...))]
        return ast.unparse(tree)

    def text(self) -> str:
        imports = [n for n in ast.parse(self.body).body if isinstance(n, ast.Import | ast.ImportFrom)]
        head = [f"# exercise: {self.name}", self.docstring, ""]
        head += [*map(ast.unparse, imports), *([""] if imports else []), ""]
        return "\n".join([*head, self.blank]) + "\n"

    @cached_property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": self.name}
        exec(compile(self.body, self.name, "exec"), names)
        return names

    @property
    def mistakes(self) -> dict[str, str]:
        """{name: the hint for it, in English} of the typical mistakes."""
        every = {node.name: ast.get_docstring(node) for node in self._definitions[1:]}
        return {name: " ".join(hint.split()) for name, hint in every.items() if hint}

    def sentences(self) -> Iterator[str]:
        yield from (*self.said("hint"), *self.paragraphs, *self.mistakes.values())
        for node in [each for d in self._definitions if d.name == "use" for each in ast.walk(d)]:
            if isinstance(node, ast.Dict):  # what it calls the parts of an answer
                yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))

    # ---- the judgement

    def judge(self, path: Path) -> Verdict:
        if self.blank in script_text(path):
            wrong = Outcome(_("Nothing is written there yet."), _("Write in place of the three dots."))
            return self._verdict(wrong, "", tried=False)
        ended = observed(self.kind, self.name, path, SECONDS)
        if ended.seen is not None:
            return self._verdict(Outcome(**ended.seen), ended.output)
        if ended.late:
            return self._verdict(_too_long("?"), ended.output)
        end = _("It ends the program that called it."), _("Leave exit() out, and give the answer by return.")
        return self._verdict(Outcome(*end), ended.output)

    def _verdict(self, wrong: Outcome, output: str, *, tried: bool = True) -> Verdict:
        document = {"printed": output, "passed": not wrong.message, **wrong._asdict()}
        remarks = [wrong.hint] if wrong.hint else []
        return Verdict(
            not wrong.message, document, message=wrong.message, remarks=remarks, output=output, tried=tried
        )

    def observe(self, path: str, seconds: float, write: Observed) -> int:
        import treino_lessons.__main__  # noqa: F401 (not a part of the pupil's time)

        def stop(_signal: int, frame: Any) -> None:
            while frame is not None and frame.f_code.co_filename != path:
                frame = frame.f_back
            raise TooLong(_("line {n}").format(n=frame.f_lineno) if frame else "?")

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            wrong = self.outcome(Path(path))
        except TooLong as late:
            wrong = _too_long(str(late), seconds)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write(wrong._asdict())
        return 0

    def outcome(self, path: Path) -> Outcome:
        """Judge the pupil's file in this process."""
        from treino_lessons.__main__ import function_of, place_of

        try:
            yours = function_of(path, self.header)
        except TreinoError as error:
            return Outcome(error.message, error.hint)
        names = self._names
        for number, arguments in enumerate(list(names["cases"]())):
            call = f"{self.called}({', '.join(map(_shown, arguments))})"
            wanted = self._answer(names[self.called], number)
            try:
                given = self._answer(yours, number)
            except Exception as error:
                raised = {"kind": type(error).__name__, "error": shortened(str(error), WIDEST)}
                message = _("{call} raises {kind}: {error}").format(call=call, **raised)
                return Outcome(message, place_of(error, path))
            if wanted is True and isinstance(given, str):  # what `use` says of it
                return Outcome(given)
            if not same(given, wanted):
                like = (h for n, h in self.mistakes.items() if same(given, self._answer(names[n], number)))
                hint = next(map(_, like), "" if given is not None else _("Is a return missing at the end?"))
                if isinstance(given, dict) and isinstance(wanted, dict) and given.keys() == wanted.keys():
                    # the parts of it that differ
                    wanted = {key: value for key, value in wanted.items() if not same(given[key], value)}
                    given = {key: given[key] for key in wanted}
                message = _("{call} gives {yours}, and {right} is right.")
                return Outcome(message.format(call=call, yours=_shown(given), right=_shown(wanted)), hint)
        return Outcome()

    def _answer(self, function: Any, number: int) -> Any:
        """What a function answers to the arguments of a case, fresh ones, for it may change them."""
        import torch

        torch.manual_seed(0)
        arguments = list(self._names["cases"]())[number]
        use = self._names.get("use", lambda function, *arguments: function(*arguments))
        return use(function, *arguments)


def _too_long(place: str, seconds: float = SECONDS) -> Outcome:
    message = _("It had not ended after {n} seconds ({place}).").format(n=f"{seconds:g}", place=place)
    return Outcome(message, _("Look for a loop that never ends."))


def same(a: Any, b: Any) -> bool:
    """Whether two answers are equal: numbers nearly, in whatever they stand; dictionaries by their values."""
    import torch

    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in b)
    try:
        ours, theirs = (torch.as_tensor(_plain(value)).double().squeeze() for value in (a, b))
    except (TypeError, ValueError, RuntimeError):  # texts, or lists of several lengths or kinds
        both = all(isinstance(value, list | tuple) for value in (a, b))
        return len(a) == len(b) and all(map(same, a, b)) if both else a == b
    return ours.shape == theirs.shape and torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6, equal_nan=True)


def _plain(value: Any) -> Any:
    """The value with lists in place of tensors and arrays."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return type(value)(map(_plain, value)) if isinstance(value, list | tuple) else value


def _shown(value: Any) -> str:
    """A value as text of one line, its numbers with up to six decimals."""
    if isinstance(value, dict):
        return "; ".join(f"{_(key)}: {_shown(part)}" for key, part in value.items())
    return shortened(re.sub(r"(\.\d{6})\d+\b", r"\1", " ".join(repr(_plain(value)).split())), WIDEST)
