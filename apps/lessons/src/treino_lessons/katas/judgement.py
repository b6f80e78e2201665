"""Judges a mended kata by what the doctor finds and by fresh rows, never by how it is written."""

import ast
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from treino.base.errors import Refusal
from treino.base.words import _, numeral
from treino_lessons.katas.examination import Examination, examine, examine_original
from treino_lessons.katas.kata import DRAW, Kata

SCRIPT_MISSING = Refusal("There is no file {path}.", "Check the path.", rule="script")
SCRIPT_UNREADABLE = Refusal("{path} can't be read.", "Check the path.", rule="script")
SCRIPT_KIND = Refusal("{path} is not a Python file.", "Give the script that you mended.", rule="script")
SCRIPT_TEXT = Refusal("{path} is not a text in UTF-8.", "Give the script that you mended.", rule="script")

OFF = 0.07  # largest difference of a printed figure from fresh rows: chance, three deviations of 400 rows
LEAST = 0.25  # least share of the original's backward passes
LAST_WORDS = 3  # number of last output lines shown of a script that failed


@dataclass(frozen=True)
class KataCheck:
    """One check of a script. name: a stable name for JSON."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Verdict:
    """What was observed of the original script and of the learner's, and each check."""

    kata: Kata
    before: Examination
    after: Examination
    checks: list[KataCheck]

    @property
    def mended(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def gain(self) -> float | None:
        """The improvement of the figure on fresh rows; None if one of the two scripts has none."""
        if self.before.measured is None or self.after.measured is None:
            return None
        return self.after.measured - self.before.measured


def script_text(path: Path) -> str:
    """The text of a learner's script.

    Raises:
        TreinoError: script.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise SCRIPT_KIND(path=path)
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise (SCRIPT_MISSING if missing else SCRIPT_UNREADABLE)(path=path) from None
    except UnicodeDecodeError:
        raise SCRIPT_TEXT(path=path) from None


def judge(kata: Kata, path: Path) -> Verdict:
    """Run the original and the script at ``path``, some seconds each, and compare them."""
    text = script_text(path)
    before, after = examine_original(kata), examine(kata, path)
    return Verdict(kata, before, after, [*_checks(kata, text, before, after)])


def _checks(kata: Kata, text: str, before: Examination, after: Examination) -> Iterator[KataCheck]:
    if not after.ended:
        yield KataCheck("runs", False, _why_it_failed(after))
        return
    yield KataCheck("runs", True, _("It runs to its end, in {s} s.").format(s=numeral(after.seconds, ".1f")))
    yield _same_task(kata, text)
    yield _trains(before, after)
    left = [rule for rule in dict.fromkeys(kata.rules) if rule in after.rules]
    faults = len({*kata.rules})
    text = (
        _("Faults that are still there: {left} of {n}.")
        if left
        else _("The doctor no longer finds: {rules}.")
    )
    text = text.format(left=len(left), n=faults, rules=", ".join(kata.rules))
    yield KataCheck("fault", not left, text)
    if kata.restarts is not None:
        kept = after.restarts <= kata.restarts
        text = _("Its optimizer keeps what it remembers.")
        if not kept:
            text = _(
                "Its optimizer began anew {n} times on weights that had moved, and remembered nothing of "
                "before."
            ).format(n=after.restarts)
        yield KataCheck("memory", kept, text)
    new = [f for f in after.findings if f["rule"] not in {*kata.rules, *kata.accepted}]
    for finding in new:
        found = _("The doctor finds something new in line {line}, {rule}: {message}")
        yield KataCheck("new", False, found.format(**finding))
    if not new:
        yield KataCheck("new", True, _("The doctor finds nothing new."))
    yield from _figures(kata, after)


def _why_it_failed(after: Examination) -> str:
    if after.stopped:
        return _("It was still running after {s} s, and was stopped.").format(s=numeral(after.seconds, ".0f"))
    if after.error == "EOFError":
        return _("It waits for somebody to type something: a script that is checked gets no input.")
    lines = [line.strip() for line in after.output.splitlines() if line.strip()][-LAST_WORDS:]
    words = " | ".join(lines) or "–"
    if after.status < 0:
        by_signal = _("It was ended by signal {signal}. Its last words: {words}")
        return by_signal.format(signal=-after.status, words=words)
    return _("It ends early, with status {status}. Its last words: {words}").format(
        status=after.status, words=words
    )


def _same_task(kata: Kata, text: str) -> KataCheck:
    """Whether the task's statements are there, in their order, and no other line draws rows."""
    ours, theirs = (
        [s for s in ast.parse(t).body if not isinstance(s, ast.Import | ast.ImportFrom)]
        for t in (kata.task, text)
    )
    wanted = [ast.dump(s) for s in ours[1:]]  # without the docstring
    others: list[ast.stmt] = []
    for statement in theirs:
        if wanted and ast.dump(statement) == wanted[0]:
            wanted.pop(0)
        else:
            others.append(statement)
    names = {getattr(node, "id", getattr(node, "name", "")) for s in others for node in ast.walk(s)}
    changed = bool(wanted) or DRAW in names
    text = _("The task is as it was.")
    if changed:
        text = _("The task was changed: the lines above the mark that ends it, or what they draw.")
    return KataCheck("task", not changed, text)


def _trains(before: Examination, after: Examination) -> KataCheck:
    enough = after.backwards >= LEAST * before.backwards
    text = _("It trains: {after} backward passes ({before} before).")
    if not enough:
        text = _("It trains too little to be compared: {after} backward passes, where there were {before}.")
    return KataCheck("trains", enough, text.format(after=after.backwards, before=before.backwards))


def _figures(kata: Kata, after: Examination) -> Iterator[KataCheck]:
    name = _(kata.figure)
    if after.measured is None:
        yield KataCheck("goal", False, _("It can't be measured: {why}.").format(why=after.trouble))
        return
    measured, goal = numeral(after.measured, ".3f"), numeral(kata.goal, "g")
    if after.printed is None:
        gone = _("It no longer prints what it is judged by: a line with {name} and a number.")
        yield KataCheck("printed", False, gone.format(name=name))
    else:
        values = {"name": name, "printed": numeral(after.printed, ".3f"), "measured": measured}
        honest = abs(after.printed - after.measured) <= OFF
        sentence = (
            _("It prints {name} {printed}; fresh rows say {measured}.")
            if honest
            else _("It prints {name} {printed}, but fresh rows say {measured}.")
        )
        yield KataCheck("printed", honest, sentence.format(**values))
    reached = after.measured >= kata.goal
    sentence = _("Fresh rows give {measured}: at least {goal} was wanted.")
    if not reached:
        sentence = _("Fresh rows give {measured}: a right script reaches {goal}.")
    yield KataCheck("goal", reached, sentence.format(measured=measured, goal=goal))
