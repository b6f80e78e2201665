"""The doctor in notebooks: ``%load_ext treino_doctor``, then ``%%doctor``, or ``%doctor on`` and ``off``."""

import linecache
from collections.abc import Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from treino_doctor.base.escaping import escape
from treino_doctor.base.markup import tag
from treino_doctor.base.words import _
from treino_doctor.cells import line_name, name_running_cells
from treino_doctor.defects import attempt
from treino_doctor.exam import Exam
from treino_doctor.finding import Finding
from treino_doctor.output.coverage import Coverage, coverage
from treino_doctor.output.report import defects, each, nothing
from treino_doctor.record.lines import own_files


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext treino_doctor``: the magics ``%%doctor`` and ``%doctor on`` / ``off``."""

    doctor = Doctor(shell)
    shell.register_magic_function(doctor.line_or_cell, "line_cell", "doctor")


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext treino_doctor``."""
    magic = shell.magics_manager.magics["line"].pop("doctor", None)
    shell.magics_manager.magics["cell"].pop("doctor", None)
    if magic is not None and magic.__self__.exam is not None:  # nothing else could stop that exam
        magic.__self__.exam.stop()


class Doctor:
    """The magics ``%doctor`` and ``%%doctor`` of a shell. exam: set while the doctor is on."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.exam: Exam | None = None

    def line_or_cell(self, line: str, cell: str | None = None) -> None:
        """Watch PyTorch code and report its silent errors.

        ``%%doctor`` at the top of a cell watches that cell; ``%doctor on`` … ``%doctor off`` the cells in
        between. ``%doctor`` alone says whether the doctor is on.
        """
        from IPython.core.error import UsageError

        word = line.strip()
        if cell is not None:
            if word:
                message = _("%%doctor takes nothing behind it, and there is {word!r}.")
                raise UsageError(message.format(word=word))
            if self.exam is not None:
                raise UsageError(_("The doctor is on already: leave %%doctor out, or %doctor off first."))
            self._cell(cell)
        elif word == "on":
            if self.exam is not None:
                raise UsageError(_("The doctor is on already; %doctor off shows what it found."))
            self.exam = Exam().start()
            print(_("The doctor watches from here on; %doctor off shows what it found."))
        elif word == "off":
            if self.exam is None:
                raise UsageError(_("The doctor is not on; %doctor on begins."))
            exam, self.exam = self.exam, None
            self._show(exam.stop(), {})
        elif word:
            raise UsageError(_("%doctor takes on or off, not {word!r}.").format(word=word))
        else:
            print(_("The doctor is off.") if self.exam is None else _("The doctor is on."))

    def _cell(self, cell: str) -> None:
        """Run the cell unchanged under the doctor; then show the findings, even after an error."""
        shell = self.shell
        name = shell.compile.get_code_name(cell, shell.transform_cell(cell), shell.execution_count)
        above = 1 + len(cell) - len(cell.lstrip("\n"))  # leading lines that IPython doesn't count
        exam = Exam().start()
        result = None
        try:
            result = self.shell.run_cell(cell)
        finally:
            exam.stop(finished=result is not None and bool(result.success))
        self._show(exam, {name: above})
        error = result.error_in_exec or result.error_before_exec
        if error is not None:  # its traceback is already shown, but the notebook must stop
            error._render_traceback_ = list
            raise error

    def _show(self, exam: Exam, above: dict[str, int]) -> None:
        from IPython.display import display

        page = attempt(exam.defects, "report", partial(self._page, exam, above), None)
        if page is None:
            print("\n\n".join([*each(exam.findings, exam.defects), *defects(exam)]))
        else:
            display(page, raw=True)

    def _page(self, exam: Exam, above: dict[str, int]) -> dict[str, str]:
        """The findings as HTML, and as text for a terminal."""
        uncovered = Coverage(exam.backwards, 0, (), ())
        covered = attempt(exam.defects, "coverage", partial(coverage, exam), uncovered)
        if not (exam.backwards or exam.steps):
            head = _("doctor: no backward seen: nothing was trained, so there is nothing to examine.")
        elif not exam.findings:
            head = nothing(exam, poor=covered.poor)
        else:
            head = _("doctor: {steps} {steps:step|steps} watched, findings: {n}")
            head = head.format(n=len(exam.findings), steps=exam.steps)
        label = self.shell.compile.format_code_name
        names = {file: ((label(file) or ("", file))[1], 0) for file in own_files()}
        names |= {file: ("", lines) for file, lines in above.items()}  # the cell above these findings
        name_running_cells(names)
        text = linecache.getline
        findings = [(f, _place(f), text(f.file or "", f.line or 0).strip()) for f in exam.findings]
        notes = [*covered.figures, *(covered.sentences() if not exam.findings else ())]
        below = [*(notes if exam.backwards or exam.steps else ()), *defects(exam)]
        plain = [head, *(_in_lines(*one) for one in findings), *below]
        return {"text/plain": "\n\n".join(plain), "text/html": findings_html(head, findings, below)}


def _place(finding: Finding) -> str:
    """``In[3], line 7``; in the cell of ``%%doctor``, ``line 7``, counted from the cell's first line."""
    if finding.file is None or finding.line is None:
        return _("(no line known)")
    place = line_name(finding.file, finding.line)
    if finding.seen is not None and finding.seen.line != finding.line:
        seen = line_name(finding.seen.file, finding.seen.line)
        return _("{place} (seen at {seen})").format(place=place, seen=seen)
    return place


def _in_lines(finding: Finding, place: str, line: str) -> str:
    to_do = _("To do: {fix}").format(fix=finding.fix)
    texts = [line, finding.message, finding.why, to_do]
    rows = [f"    {escape(text)}" for text in texts if text]
    return "\n".join([f"{finding.rule}  {place}", *rows])


INK = {"wrong": "#c0392b", "risk": "#b7791f", "waste": "#2471a3"}
CARD = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:860px"
BOX = "border-left:4px solid {ink};background:rgba(128,128,128,.10);padding:6px 12px;margin:6px 0;border-radius:0 6px 6px 0"  # noqa: E501
LINE = "font-family:ui-monospace,monospace;font-size:13px;margin:3px 0;white-space:pre-wrap"


def findings_html(
    head: str, findings: Sequence[tuple[Finding, str, str]], notes: Sequence[str] = ()
) -> Markup:
    """Return the findings as HTML.

    findings: (finding, its place, such as ``cell 3, line 7``, that line's text). notes: sentences to show
    below.
    """
    parts = [tag("div", tag("b", head)), *(_one(*each) for each in findings)]
    parts += [tag("div", text, style="opacity:.7") for text in notes]
    return tag("div", *parts, style=CARD)


def _one(finding: Finding, place: str, line: str) -> Markup:
    sure = _("certain") if finding.certain else _("likely")
    parts = [
        tag("b", finding.rule) + " " + tag("span", f"({sure})", style="opacity:.75"),
        " " + tag("span", place, style="float:right"),
    ]
    parts += [tag("div", line, style=LINE)] if line else []
    parts += [tag("div", finding.message), tag("div", finding.why, style="opacity:.75")]
    parts.append(tag("div", _("To do: {fix}").format(fix=finding.fix)))
    return tag("div", *parts, style=BOX.format(ink=INK[finding.severity]))
