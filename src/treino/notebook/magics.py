"""``%%doctor``, ``%doctor on`` and ``%doctor off``: the doctor checks one cell, or all cells in between."""

import linecache
from typing import Any

from treino.diagnosis.exam import Exam
from treino.diagnosis.finding import Finding, Site
from treino.diagnosis.tell.coverage import coverage
from treino.diagnosis.tell.report import nothing
from treino.words import _


class Doctor:
    """The magic of one shell; ``exam`` is there while it is on."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.exam: Exam | None = None

    def line_or_cell(self, line: str, cell: str | None = None) -> None:
        """Watch PyTorch code and say what it stays silent about.

        ``%%doctor`` at the head of a cell: that cell. ``%doctor on`` … ``%doctor off``: the cells in between.
        ``%doctor`` alone says whether it is on.
        """
        from IPython.core.error import UsageError

        word = line.strip()
        if cell is not None:
            if word:
                raise UsageError(
                    _("%%doctor takes nothing behind it, and there is {word!r}.").format(word=word)
                )
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
        """Run the cell as it is, under the doctor; then its findings, also where it raised."""
        name = self.shell.compile.get_code_name(
            cell, self.shell.transform_cell(cell), self.shell.execution_count
        )
        above = 1 + len(cell) - len(cell.lstrip("\n"))  # lines that IPython takes off before it counts
        exam = Exam().start()
        result = None
        try:
            result = self.shell.run_cell(cell)
        finally:
            exam.stop(finished=result is not None and bool(result.success))
        self._show(exam, {name: above})
        error = result.error_in_exec or result.error_before_exec
        if error is not None:  # its traceback is shown already; the notebook must stop there all the same
            error._render_traceback_ = list
            raise error

    def _show(self, exam: Exam, above: dict[str, int]) -> None:
        from IPython.display import HTML, display

        from treino.plots.findings import findings_html

        if not (exam.backwards or exam.steps):
            head = _("doctor: no backward seen: nothing was trained, so there is nothing to examine.")
        elif not exam.findings:
            head = nothing(exam)
        else:
            head = _("doctor: {steps} steps watched, findings: {n}").format(
                n=len(exam.findings), steps=exam.steps
            )
        findings = [(f, self._place(f, above), _text(f)) for f in exam.findings]
        defects = [
            _("doctor: a defect of the doctor itself, not of your script: {what}").format(what=d)
            for d in exam.defects
        ]
        covered = coverage(exam)
        notes = [*covered.figures, *(covered.sentences() if not exam.findings else ())]
        watched = exam.backwards or exam.steps
        display(HTML(findings_html(head, findings, [*(notes if watched else ()), *defects])))

    def _place(self, finding: Finding, above: dict[str, int]) -> str:
        """``In[3], line 7``; of a cell that is watched alone ``line 7``, as its author counts."""
        if finding.file is None or finding.line is None:
            return _("(no line known)")
        place = self._named(Site(finding.file, finding.line), above)
        if finding.seen is not None and finding.seen.line != finding.line:
            place += _(" (seen at {place})").format(place=self._named(finding.seen, above))
        return place

    def _named(self, site: Site, above: dict[str, int]) -> str:
        if site.file in above:  # the cell over these findings
            return _("line {line}").format(line=site.line + above[site.file])
        label = self.shell.compile.format_code_name(site.file)
        where = site.file if label is None else label[1]
        return _("{where}, line {line}").format(where=where, line=site.line)


def _text(finding: Finding) -> str:
    return linecache.getline(finding.file, finding.line).strip() if finding.file and finding.line else ""
