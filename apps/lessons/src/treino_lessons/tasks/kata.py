"""A kata: a script with a fault to be mended, judged by the doctor and by fresh rows, never by its style.

The file is also a script of the doctor's bed, so its first lines are comments for tests: ``expect`` names the
fault and ``mend`` the lines of a right script (doctor/tests/bed_scripts.py). After these come

    # place: 1.2       the level, and the place in it
    # goal: 0.85       the least that a right script reaches on fresh rows: accuracy, or R² of numbers
    # restarts: 1      the most times that the optimizer may begin anew on the same weights, if it matters
    # ask: SENTENCE    the first hint, a question; one for each fault

Then follows what a pupil gets: the story as a docstring, the task (imports, a function ``draw`` and the rows
that it draws, down to a comment that ends it) and the training. Comments and the texts that ``print`` is
given are translated as the docstring is.
"""

import ast
import io
import json
import re
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from treino.base.words import N_, _, languages, numeral, speaking
from treino_lessons.course import HERE
from treino_lessons.tasks.observation import DRAW, observe_script
from treino_lessons.tasks.process import observed
from treino_lessons.tasks.task import Check, Observed, Task, Verdict, script_text

TASK_ENDS = N_("---- the task ends here: what stands above stays as it is ----")
LIMIT = 60.0  # seconds that a script may take; a kata takes up to 5
OFF = 0.07  # largest difference of a printed figure from fresh rows: chance, three deviations of 400 rows
LEAST = 0.25  # least share of the original's backward passes
LAST_WORDS = 3  # number of last output lines shown of a script that failed
HINTS_OF_EACH = 3  # about each fault
SEEN = "measured", "printed", "seconds", "backwards", "findings"  # of an examination, in the document
_BETWEEN = r"\s*(?:\b(?:is|é)\b)?\s*[:=]?\s*(?:tensor\(\[*)?"  # a figure's name and its number
_NUMBER = r"[-+]?(?:(?:\d+(?:\.\d*|,\d+)?|\.\d+)(?:e[-+]?\d+)?|(?:nan|inf)\b)"  # re.I


@dataclass(frozen=True)
class Examination:
    """How a script ended, and what was observed.

    status: its exit status, or its process's, negative for a signal that ended it. stopped: "max_time" or "".
    error: the exception that ended it. output: the end of what it printed. printed: the figure in it, also
    nan or infinite. backwards: backward passes. restarts: how often an optimizer without a memory took over
    weights that had been stepped before. findings: the doctor's, as in its JSON. measured: accuracy or R² on
    fresh rows; None, and trouble says why.
    """

    status: int
    output: str
    printed: float | None
    seconds: float
    stopped: str = ""
    error: str = ""
    backwards: int = 0
    restarts: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)
    measured: float | None = None
    trouble: str = ""

    @property
    def rules(self) -> set[str]:
        """The rules of its findings."""
        return {finding["rule"] for finding in self.findings}

    @property
    def document(self) -> dict[str, Any]:
        """The examination as JSON."""
        seen = {name: getattr(self, name) for name in SEEN}
        return seen | {"error": self.error or None, "stopped": self.stopped or None}


class Kata(Task):
    """A script with a fault."""

    kind, verb, file = N_("kata"), "kata", "kata"
    scripts = HERE / "katas" / "scripts"
    recorded: ClassVar = {"hints": "hints", "checks": "checks", "mended": "solved"} | {
        name: name for name in ("before", "after")
    }
    given = N_("Its script is in {path}: run it, find the fault, mend it.")
    tally = N_("{done} of {n} are mended.")
    verdicts = N_("Not mended yet."), N_("Mended.")
    solution = ""

    @classmethod
    def names(cls) -> list[str]:
        return [kata.name for kata in cls.every()]

    @classmethod
    def every(cls) -> list["Kata"]:
        """All katas, the easiest first."""
        return sorted(map(cls.read, cls.scripts.glob("*.py")), key=lambda kata: kata.place)

    @property
    def place(self) -> tuple[int, int]:
        """The level, and the place in it, both from 1."""
        level, place = self.said("place")[0].split(".")
        return int(level), int(place)

    @property
    def level(self) -> int:
        return self.place[0]

    @property
    def goal(self) -> float:
        """The least figure that a right script reaches on fresh rows."""
        return float(self.said("goal")[0])

    @property
    def restarts(self) -> int | None:
        """The most times that the optimizer of a right script begins anew; None where it doesn't matter."""
        return next(map(int, self.said("restarts")), None)

    @property
    def rules(self) -> list[str]:
        """The doctor's rules for its faults."""
        return [text.split()[0] for text in self.said("expect")]

    @property
    def accepted(self) -> set[str]:
        """Rules that the doctor may report for a right script, too."""
        return {text.split()[0] for text in self.said("allowed")} - {*self.rules}

    @property
    def document(self) -> dict[str, Any]:
        return {"kata": self.name, "level": self.level, "title": self.title, "story": self.story}

    @cached_property
    def figure(self) -> str:
        """The English name of the figure that the script prints last, such as ``test accuracy``."""
        return [text for token, text in self._texts if token.type == tokenize.STRING][-1]

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
        lines = self.body.splitlines()
        for token, text in reversed(self._texts):
            (first, start), (last, end) = token.start, token.end
            comment = token.type == tokenize.COMMENT
            new = f"# {_(text)}" if comment else json.dumps(_(text), ensure_ascii=False)
            new = new if text else self.docstring
            lines[first - 1 : last] = [lines[first - 1][:start] + new + lines[last - 1][end:]]
        return "\n".join([f"# kata: {self.name}", *lines]) + "\n"

    def sentences(self) -> Iterator[str]:
        yield from (*self.paragraphs, *self.said("ask"))
        yield from (text for _token, text in self._texts if text not in ("", TASK_ENDS))

    @cached_property
    def _texts(self) -> list[tuple[tokenize.TokenInfo, str]]:
        """The texts that are translated, each with its token; "" for the docstring."""
        calls = [node for node in ast.walk(ast.parse(self.body)) if isinstance(node, ast.Call)]
        prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        shown = {(a.lineno, a.col_offset) for c in prints for a in c.args if isinstance(a, ast.Constant)}
        texts = []
        for token in tokenize.generate_tokens(io.StringIO(self.body).readline):
            if token.type == tokenize.COMMENT:
                texts.append((token, token.string[1:].strip()))
            elif token.type == tokenize.STRING and token.start in {(1, 0), *shown}:
                texts.append((token, ast.literal_eval(token.string) if token.start in shown else ""))
        return texts

    # ---- hints

    @property
    def hint_count(self) -> int:
        return HINTS_OF_EACH * len(self.rules)

    def hints(self, count: int) -> list[str]:
        """The first hints: for each fault a question, then why it harms, then the line and what to do.

        From the second on the script is run as it was given: its findings tell more.
        """
        questions = [_(text) for text in self.said("ask")]
        if count <= 1:
            return questions[:count]
        found = {finding["rule"]: finding for finding in reversed(self.examined_original().findings)}
        every = []
        for rule, question in zip(self.rules, questions, strict=True):
            if (finding := found.get(rule)) is None:  # the machine was too slow, or torch is another one
                read = _("Read about it: {command}").format(command=f"treino doctor --explain {rule}")
                every += [question, *[read] * (HINTS_OF_EACH - 1)]
                continue
            in_task = finding["line"] < self.first_line  # which stays as it is
            what = _("{rule}: {fix}") if in_task else _("Line {line}, {rule}: {fix}")
            every += [question, finding["why"], what.format(**finding)]
        return every[:count]

    # ---- the judgement

    def observe(self, path: str, seconds: float, write: Observed) -> int:
        return observe_script(self.task, path, seconds, write)

    def examined(self, path: Path) -> Examination:
        """Run the script at ``path`` under the doctor, as an attempt at this kata."""
        ended = observed(self.kind, self.name, path, LIMIT)
        seen = {"status": 0, "seconds": ended.seconds, **(ended.seen or {})}  # it crashed, or was killed
        if ended.late:
            seen |= {"stopped": "max_time", "seconds": ended.seconds}
        seen["status"] = seen["status"] or ended.status  # os._exit(3) and os.abort() leave after the report
        return Examination(**seen, output=ended.output, printed=self.printed_figure(ended.output))

    def examined_original(self) -> Examination:
        """Run the script as it was given."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"kata-{self.name}.py"
            path.write_text(self.text(), encoding="utf-8")
            return self.examined(path)

    def judge(self, path: Path) -> Verdict:
        """Run the original and the script at ``path``, some seconds each, and compare them."""
        text = script_text(path)
        before, after = self.examined_original(), self.examined(path)
        checks = [*_checks(self, text, before, after)]
        mended, gain, remarks = all(check.ok for check in checks), None, []
        figures = {"before": before.measured, "after": after.measured}
        if before.measured is not None and after.measured is not None:
            gain = after.measured - before.measured
            worth = _(
                "On fresh rows: {before} as it was given, {after} now. Printed: {said_before}, {said_after}."
            )
            values = figures | {"said_before": before.printed, "said_after": after.printed}
            remarks = [worth.format(**{name: figure_text(value) for name, value in values.items()})]
        remarks += [f"{f['rule']}: {f['why']}" for f in before.findings if f["rule"] in self.rules]
        document = {"mended": mended, "checks": [check._asdict() for check in checks]}
        document |= {"before": before.document, "after": after.document, "gain": gain}
        return Verdict(mended, document, checks, remarks=remarks if mended else (), figures=figures)


def figure_text(value: float | None) -> str:
    """An accuracy or R² as it is shown."""
    return "–" if value is None else numeral(value, ".3f")


def _checks(kata: Kata, text: str, before: Examination, after: Examination) -> Iterator[Check]:
    if after.status or after.stopped or after.error:
        yield Check("runs", False, _why_it_failed(after))
        return
    yield Check("runs", True, _("It runs to its end, in {s} s.").format(s=numeral(after.seconds, ".1f")))
    yield _check(
        "task",
        _is_same_task(kata, text),
        N_("The task is as it was."),
        N_("The task was changed: the lines above the mark that ends it, or what they draw."),
    )
    yield _check(
        "trains",
        after.backwards >= LEAST * before.backwards,
        N_("It trains: {after} backward passes ({before} before)."),
        N_("It trains too little to be compared: {after} backward passes, where there were {before}."),
        after=after.backwards,
        before=before.backwards,
    )
    rules = dict.fromkeys(kata.rules)
    left = [rule for rule in rules if rule in after.rules]
    yield _check(
        "fault",
        not left,
        N_("The doctor no longer finds: {rules}."),
        N_("Faults that are still there: {left} of {n}."),
        left=len(left),
        n=len(rules),
        rules=", ".join(kata.rules),
    )
    if kata.restarts is not None:
        yield _check(
            "memory",
            after.restarts <= kata.restarts,
            N_("Its optimizer keeps what it remembers."),
            N_(
                "Its optimizer began anew {n} times on weights that had moved, and remembered nothing of "
                "before."
            ),
            n=after.restarts,
        )
    new = [f for f in after.findings if f["rule"] not in {*rules, *kata.accepted}]
    for finding in new:
        sentence = _("The doctor finds something new in line {line}, {rule}: {message}")
        yield Check("new", False, sentence.format(**finding))
    if not new:
        yield Check("new", True, _("The doctor finds nothing new."))
    yield from _figures(kata, after)


def _check(name: str, ok: bool, good: str, bad: str, /, **values: Any) -> Check:
    return Check(name, ok, _(good if ok else bad).format(**values))


def _why_it_failed(after: Examination) -> str:
    if after.stopped:
        return _("It was still running after {s} s, and was stopped.").format(s=numeral(after.seconds, ".0f"))
    if after.error == "EOFError":
        return _("It waits for somebody to type something: a script that is checked gets no input.")
    lines = [line.strip() for line in after.output.splitlines() if line.strip()][-LAST_WORDS:]
    text = _("It ends early, with status {status}. Its last words: {words}")
    if after.status < 0:
        text = _("It was ended by signal {signal}. Its last words: {words}")
    return text.format(status=after.status, signal=-after.status, words=" | ".join(lines) or "–")


def _is_same_task(kata: Kata, text: str) -> bool:
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
    return not wanted and DRAW not in names


def _figures(kata: Kata, after: Examination) -> Iterator[Check]:
    values = {"name": _(kata.figure), "measured": figure_text(after.measured)}
    if after.measured is None:
        yield Check("goal", False, _("It can't be measured: {why}.").format(why=after.trouble))
        return
    if after.printed is None:
        gone = _("It no longer prints what it is judged by: a line with {name} and a number.")
        yield Check("printed", False, gone.format(**values))
    else:
        yield _check(
            "printed",
            abs(after.printed - after.measured) <= OFF,
            N_("It prints {name} {printed}; fresh rows say {measured}."),
            N_("It prints {name} {printed}, but fresh rows say {measured}."),
            printed=figure_text(after.printed),
            **values,
        )
    yield _check(
        "goal",
        after.measured >= kata.goal,
        N_("Fresh rows give {measured}: at least {goal} was wanted."),
        N_("Fresh rows give {measured}: a right script reaches {goal}."),
        goal=numeral(kata.goal, "g"),
        **values,
    )
