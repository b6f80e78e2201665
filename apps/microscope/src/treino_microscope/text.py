"""An explanation as text: for a terminal, a pipe, and the JSON document."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from treino.base.console import EscapingConsole, line, table
from treino.base.words import _
from treino_microscope.explanation import Check, Explanation, Step, StepTable
from treino_microscope.formula_text import DIGITS, formula_lines, text
from treino_microscope.formula_text import TEXT as PEN

ALIGN = 100  # maximum number of characters of a formula's line in a pipe
MARKS = {"✓": "green", "✗": "bold red"}


def document(explanation: Explanation, digits: int = DIGITS) -> dict[str, Any]:
    """Return the JSON document: ``topic, steps[{title, symbols, numbers, value}], checks[{name, ours,
    reference, difference}]``; also each step's part and text, and whether each check holds.
    """
    return {
        "topic": explanation.topic,
        "title": explanation.title,
        "steps": [_step(part.title, step, digits) for part in explanation.parts for step in part.steps],
        "checks": [
            asdict(check) | {"difference": check.difference, "holds": check.holds}
            for check in explanation.checks
        ],
        "holds": explanation.holds,
        "sources": list(explanation.sources),
    }


def _step(part: str, step: Step, digits: int) -> dict[str, Any]:
    known: dict[str, Any] = {"part": part, "title": step.title, "symbols": "", "numbers": "", "value": None}
    known |= {"text": step.text, "wrong": step.wrong}
    if step.formula is not None:
        left, right = (text(e, exact=True) for e in (step.formula.left, step.formula.right))
        numbers = text(step.formula.right, numbers=True, digits=digits, exact=True)
        known |= {"symbols": f"{left} = {right}", "numbers": numbers, "value": step.formula.value}
    known |= {"code": step.code} if step.code else {}
    if step.table is not None:
        rows = [list(row) for row in step.table.rows]
        known["table"] = {"headings": list(step.table.headings), "rows": rows, "more": step.table.more}
    return known


def rendered(explanation: Explanation, digits: int = DIGITS) -> Iterator[RenderableType]:
    """Yield what a terminal shows, piece by piece."""
    yield line((explanation.title, "bold"))
    yield explanation.about
    for part in explanation.parts:
        yield from ("", line((part.title, "bold underline")))
        for step in part.steps:
            yield from _shown(step, digits)
    yield from ("", line((_("Checked"), "bold underline")))
    yield _table(checks_table(explanation.checks, digits))
    yield verdict(explanation)
    for source in explanation.sources:
        yield line((source, "dim"))


def _shown(step: Step, digits: int) -> Iterator[RenderableType]:
    if step.picture is not None and not (step.text or step.table or step.formula):
        return  # a step with only a picture is shown on the page alone
    mark = (_("not so:") + " ", "bold red") if step.wrong else ""
    yield from ("", line(mark, step.title))
    if step.text:
        yield Padding(line((step.text, "dim")), (0, 0, 0, 2), expand=False)
    if step.code:
        code = Group(*(line((text, "cyan")) for text in step.code.rstrip().split("\n")))
        yield Padding(code, (0, 0, 0, 4), expand=False)
    if step.formula is not None:
        lines = RichTable(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
        lines.add_column(no_wrap=True, justify="right")
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        for kind, left, right in formula_lines(step.formula, PEN, digits):
            lines.add_row(left, "=", line((right, "bold")) if kind == "value" else right)
        yield Padding(lines, (0, 0, 0, 4), expand=False)
    if step.table is not None:
        yield Padding(_table(step_table(step.table, digits)), (0, 0, 0, 4), expand=False)


@dataclass(frozen=True)
class WrittenTable:
    """A table's cells in words. left: for each column, whether it holds words (else numbers). more:
    a sentence below the table about rows that are left out."""

    headings: Sequence[str]
    left: Sequence[bool]
    rows: Sequence[Sequence[str]]
    more: str = ""


def step_table(shown: StepTable, digits: int) -> WrittenTable:
    left = [any(isinstance(row[place], str) for row in shown.rows) for place in range(len(shown.headings))]
    rows = [
        [" ".join(c.split()) if isinstance(c, str) else PEN.number(float(c), digits).text for c in row]
        for row in shown.rows
    ]
    more = _("… {n:,} more …").format(n=shown.more) if shown.more else ""
    return WrittenTable(shown.headings, left, rows, more)


def checks_table(checks: Sequence[Check], digits: int) -> WrittenTable:
    """Return a line for each check: whether it holds, and both numbers."""
    headings = "", _("what, and by whom"), _("here"), _("there"), _("difference")
    rows = []
    for check in checks:
        numbers = (PEN.number(n, max(digits, 9)).text for n in (check.ours, check.reference))
        mark, difference = "✓" if check.holds else "✗", PEN.number(check.difference, 2).text
        rows.append([mark, check.name, *numbers, difference])
    return WrittenTable(headings, (True, True, False, False, False), rows)


def _table(shown: WrittenTable) -> RenderableType:
    rows: list[list[Any]] = [[line((first, MARKS.get(first, ""))), *others] for first, *others in shown.rows]
    rows += [[shown.more, *[""] * (len(shown.headings) - 1)]] if shown.more else []
    return table(shown.headings, rows, [number for number, left in enumerate(shown.left) if left])


def verdict(explanation: Explanation) -> Text:
    """Return one line: all checks hold, or which ones fail."""
    failed = [check.name for check in explanation.checks if not check.holds]
    if not failed:
        return line((_("All {n} checks hold.").format(n=len(explanation.checks)), "green"))
    sentence = _("{failed} of {n} checks FAIL: {names}").format(
        failed=len(failed), n=len(explanation.checks), names="; ".join(failed)
    )
    return line((sentence, "bold red"))


def plain(explanation: Explanation, digits: int = DIGITS) -> str:
    """Return the explanation as text without colours, in lines of at most 100 characters."""
    file = io.StringIO()
    bare = dict.fromkeys(("highlight", "markup", "emoji", "force_terminal", "force_jupyter"), False)
    # a notebook requests colours and HTML
    console = EscapingConsole(file=file, width=ALIGN, color_system=None, **bare)  # type: ignore[arg-type]
    for piece in rendered(explanation, digits):
        console.print(piece)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
