"""Judges a learner's function by its answers, beside the solution's, in a process of its own.

Any style passes: a list, an array and a tensor of the same numbers are the same answer.
"""

import json
import re
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from treino.base.errors import TreinoError
from treino.base.text import shortened
from treino.base.words import _, language, speaking
from treino_lessons.exercises.exercise import Exercise, exercise_named
from treino_lessons.katas.examination import STARTING, run_apart

SECONDS = 20  # for all calls of the learner's function; those of a solution take up to 3
WIDEST = 160  # characters of an answer that is shown


class TooLong(BaseException):
    """The learner's function is still running; no ``except Exception`` of its own holds this up."""


class Outcome(NamedTuple):
    """What is wrong with a learner's function, and what to do about it; both are empty if it is right."""

    message: str = ""
    hint: str = ""


def judge(exercise: Exercise, path: Path) -> tuple[Outcome, str]:
    """Judge the learner's file in a process of its own -> (the outcome, the end of what it printed)."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        job = [exercise.name, str(path), str(answer), language()]
        ended = run_apart([sys.executable, "-m", __name__, *job], STARTING + 2 * SECONDS)
        if answer.exists():
            return Outcome(*json.loads(answer.read_text(encoding="utf-8"))), ended.output
    if ended.late:
        return _too_long("?"), ended.output
    end = _("It ends the program that called it."), _("Leave exit() out, and give the answer by return.")
    return Outcome(*end), ended.output


def main(job: Sequence[str]) -> int:
    """Judge the file, and write the outcome."""
    import torch

    import treino_lessons.__main__  # noqa: F401 (not a part of the learner's time)

    name, path, answer, tongue = job

    def stop(_signal: int, frame: Any) -> None:
        while frame is not None and frame.f_code.co_filename != path:
            frame = frame.f_back
        raise TooLong(_("line {n}").format(n=frame.f_lineno) if frame else "?")

    torch.set_num_threads(1)
    with speaking(tongue):
        signal.signal(signal.SIGALRM, stop)
        signal.alarm(SECONDS)
        try:
            found = outcome(exercise_named(name), Path(path))
        except TooLong as late:
            found = _too_long(str(late))
        signal.alarm(0)
    Path(answer).write_text(json.dumps(found), encoding="utf-8")
    return 0


def _too_long(place: str) -> Outcome:
    message = _("It had not ended after {n} seconds ({place}).").format(n=SECONDS, place=place)
    return Outcome(message, _("Look for a loop that never ends."))


def outcome(exercise: Exercise, path: Path) -> Outcome:
    """Judge the learner's file in this process."""
    from treino_lessons.__main__ import function_of, place_of

    try:
        yours = function_of(path, exercise.header)
    except TreinoError as error:
        return Outcome(error.message, error.hint)
    right, cases, mistakes = exercise.run()

    def answer(function: Any, number: int) -> Any:
        """What a function answers to fresh arguments, for it may change them."""
        import torch

        torch.manual_seed(0)
        return exercise.use(function, *list(cases())[number])

    for number, arguments in enumerate(list(cases())):
        call, wanted = f"{exercise.called}({', '.join(map(_shown, arguments))})", answer(right, number)
        try:
            given = answer(yours, number)
        except Exception as error:
            message = _("{call} raises {kind}: {error}")
            message = message.format(
                call=call, kind=type(error).__name__, error=shortened(str(error), WIDEST)
            )
            return Outcome(message, place_of(error, path))
        if wanted is True and isinstance(given, str):  # what `use` says of it
            return Outcome(given)
        if not same(given, wanted):
            hints = (hint for hint, mistake in mistakes.items() if same(given, answer(mistake, number)))
            hint = next(hints, "" if given is not None else _("Is a return missing at the end?"))
            if isinstance(given, dict) and isinstance(wanted, dict) and given.keys() == wanted.keys():
                # the parts of it that differ
                wanted = {key: value for key, value in wanted.items() if not same(given[key], value)}
                given = {key: given[key] for key in wanted}
            message = _("{call} gives {yours}, and {right} is right.")
            return Outcome(message.format(call=call, yours=_shown(given), right=_shown(wanted)), hint)
    return Outcome()


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
