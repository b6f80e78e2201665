"""Format an examination as text and as the JSON document of ``treino doctor``."""

import linecache
import os
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from treino_doctor.base.escaping import escape
from treino_doctor.base.words import N_, _, joined, placeholders
from treino_doctor.cells import cell_of, line_name
from treino_doctor.defects import attempt
from treino_doctor.exam import Exam
from treino_doctor.finding import Finding, Site
from treino_doctor.output.coverage import Coverage
from treino_doctor.places.ignores import idle
from treino_doctor.process.run_script import Outcome
from treino_doctor.record.lines import own_files
from treino_doctor.rules import rules
from treino_doctor.rules.rule import by_line

KIND = {"wrong": N_("wrong"), "risk": N_("risk"), "waste": N_("waste")}


def place(path: str | None, line: int | None) -> str:
    """Return ``file.py:42``, relative to the working directory if that is shorter; for a notebook
    ``file.ipynb, cell 7, line 3``."""
    if path is None:
        return _("(no line known)")
    try:
        near = os.path.relpath(path)
    except (ValueError, OSError):  # it is on another drive, or the folder is gone
        near = path
    near = near if len(near) < len(path) else path
    if cell_of(path, line) is not None:
        return f"{near}, {line_name(path, line or 0)}"
    return f"{near}:{line}"


def one(finding: Finding, *, of_script: bool = True) -> str:
    """A finding, its line and the fix. of_script: it has a line; findings in treino's own runs have none."""
    sure = _("certain") if finding.certain else _("likely")
    at = f"  {place(finding.file, finding.line)}" if of_script else ""
    lines = [f"{finding.rule}  ({_(KIND[finding.severity])}, {sure}){at}"]
    lines += [f"    {finding.message}", f"    {finding.why}", _("    To do: {fix}").format(fix=finding.fix)]
    if finding.seen is not None and (finding.seen.file, finding.seen.line) != (finding.file, finding.line):
        where = finding.seen.file, finding.seen.line
        seen = _("    seen at {place}").format(place=place(*where))
        if finding.seen.file == finding.file:
            seen = _("    seen at {line}").format(line=line_name(*where))
        lines.insert(1, seen)
    if written := linecache.getline(finding.file or "", finding.line or 0).strip():
        _cell, line = cell_of(finding.file, finding.line) or (0, finding.line)
        lines.insert(1, f"    {line} | {written}")
    return "\n".join(map(escape, lines))


def nothing(exam: Exam, *, known: int = 0, poor: bool = False) -> str:
    """The sentence that nothing was found in so many steps, or backward passes if no optimizer stepped.
    poor: one answer for all rows does as well."""
    if poor and not known:
        sentence = _(
            "doctor: no fault that is known was seen in {n} backward {n:pass|passes}, but one answer for all "
            "rows would do as well:"
        )
        return sentence.format(n=exam.backwards)
    if known:
        return _("doctor: nothing new found in {steps} {steps:step|steps}.").format(steps=exam.steps)
    if exam.steps:
        return _("doctor: nothing found in {steps} {steps:step|steps}.").format(steps=exam.steps)
    sentence = _(
        "doctor: nothing found in {backwards} backward {backwards:pass|passes} (no optimizer of torch "
        "stepped)."
    )
    return sentence.format(backwards=exam.backwards)


def _saying(finding: Finding) -> tuple[str | None, ...]:
    """What a finding says but for numbers, as a key: its rule, its file and the words of its evidence."""
    words = (re.sub(r"\d+", "", value) for value in finding.evidence.values() if isinstance(value, str))
    return finding.rule, finding.file, *words


def each(findings: Sequence[Finding], defects: list[str]) -> list[str]:
    """Each finding as in ``one``, those that say the same of several lines of a file together; in short if
    that raises, which is then one of the defects."""
    short = {id(f): escape(f"{f.rule}  {f.file}:{f.line}\n    {f.message}") for f in findings}
    alike = by_line(findings, _saying)
    texts = []
    for first, *others in alike.values():
        text = attempt(defects, "report", partial(one, first), short[id(first)])
        lines = joined([line_name(f.file, f.line) for f in others if f.file is not None and f.line], ", ")
        texts.append(text + "\n" + escape(_("    also at {lines}").format(lines=lines)) if lines else text)
    return texts


def defects(exam: Exam) -> list[str]:
    """A sentence for each error of the doctor's own."""
    return [sentence_of(defect) for defect in exam.defects]


def sentence_of(defect: str) -> str:
    """The sentence that says of an error that it is the doctor's own."""
    return _("doctor: a defect of the doctor itself, not of your script: {what}").format(what=defect)


def text(outcome: Outcome, covered: Coverage, notes: Sequence[str] = (), *, known: int = 0) -> str:
    """The whole report. notes: sentences below the findings. known: number of known findings, not listed."""
    exam = outcome.exam
    parts: list[list[str]] = []
    if outcome.stopped:
        limit = "--max-time" if outcome.stopped == "max_time" else "--max-steps"
        parts.append([_("doctor: stopped the script at {limit}.").format(limit=limit)])
    if outcome.skipped:
        lines = [_("cell {cell}: {line}").format(cell=cell, line=line) for cell, line in outcome.skipped]
        parts.append([_("doctor: left out of the notebook, since only Jupyter runs it:"), *lines])
    if outcome.error:
        ended = _("doctor: the script ended early, by {error}; what it had still to do was not examined.")
        parts.append([ended.format(error=outcome.error)])
    if outcome.workers:
        seen = _("doctor: another process trained, and was examined; of several ranks it was rank 0.")
        parts.append([seen])
    untrained = not outcome.trained and not exam.findings
    if untrained:
        unseen = _("doctor: no backward seen: this script never trained, so there is nothing to examine.")
        if outcome.others:
            unseen = _(
                "doctor: no backward seen here. The script started other processes ({n}), which were not "
                "examined: if one of them trains, run that program under the doctor."
            )
        parts.append([unseen.format(n=outcome.others)])
    elif not exam.findings:
        head = nothing(exam, known=known, poor=covered.poor)
        parts.append([head, *covered.figures, *covered.sentences()])
    else:
        head = _("doctor: {steps} {steps:step|steps} of {subject}, findings: {n}")
        head = head.format(n=len(exam.findings), steps=exam.steps, subject=outcome.subject)
        parts.append([head, *covered.figures])
        names = list(dict.fromkeys(f.rule for f in exam.findings))
        more = _("doctor: more about each: treino-doctor --explain {rule}")
        more = more.format(rule=names[0] if len(names) == 1 else placeholders("RULE"))
        notes = [more, *covered.sentences(), *notes]
    blocks = ["\n    ".join(map(escape, lines)) for lines in parts]
    below = ["\n".join(map(escape, notes))] if notes else []
    findings = each(exam.findings, exam.defects)
    return "\n\n".join([*blocks, *findings, *below, *map(escape, defects(exam))])


def text_of_run(findings: list[Finding], steps: int, run: str) -> str:
    """The report on one of treino's own runs."""
    head = _("doctor: {steps} {steps:step|steps} of {subject}, findings: {n}")
    if not findings:
        head = _("doctor: nothing found in {steps} {steps:step|steps} of {subject}.")
    head = escape(head.format(n=len(findings), steps=steps, subject=run))
    return "\n\n".join([head, *(one(f, of_script=False) for f in findings)])


def document(outcome: Outcome, status: int, covered: Coverage) -> dict[str, Any]:
    """The JSON document. overhead: the estimated share of the script's time that recording took."""
    exam = outcome.exam
    own = max(outcome.seconds - exam.seconds, 1e-9)
    skipped = [{"cell": cell, "line": line} for cell, line in outcome.skipped]
    return {
        "subject": outcome.subject,
        "steps": exam.steps,
        "findings": [f.as_json() for f in exam.findings],
        "overhead": round(exam.seconds / own, 4),
        "exit": status,
        "trained": outcome.trained,
        "stopped": outcome.stopped or None,
        "error": outcome.error or None,
        "defects": exam.defects,
        "looked_at": covered.as_json(),
        "seconds": round(outcome.seconds, 3),
    } | ({"skipped": skipped} if skipped else {})


def _idle(outcome: Outcome) -> list[tuple[Site, str, bool]]:
    """Unused comments: (line, rule, whether there is such a rule); those of known rules count only if the
    whole script was seen training."""
    whole = outcome.trained and not outcome.error and not outcome.stopped
    every = [(site, rule, rule in rules()) for site, rule in idle(own_files())]
    return [comment for comment in every if whole or not comment[2]]


def idle_comments(outcome: Outcome) -> list[str]:
    """A sentence for each comment that silenced nothing."""
    lines = []
    for site, rule, known in _idle(outcome):
        if known:
            sentence = _("doctor: {place} ignores {rule}, and there was no such finding.")
        elif rule:
            sentence = _("doctor: {place} ignores {rule}, and there is no such rule.")
        else:
            sentence = _("doctor: {place} ignores no rule: write # doctor: ignore RULE, reason")
        lines.append(sentence.format(place=place(site.file, site.line), rule=rule))
    return lines


def comments_as_json(outcome: Outcome) -> dict[str, Any]:
    """The JSON key ``ignores``, if some comments silenced nothing."""
    every = _idle(outcome)
    listed = [{"file": s.file, "line": s.line, "rule": rule, "known": known} for s, rule, known in every]
    return {"ignores": listed} if listed else {}
