"""Comments that silence nothing, as the report says them: of unknown rules, or without a finding there."""

from typing import Any

from treino_doctor.output.report import place
from treino_doctor.places.ignores import Idle, idle
from treino_doctor.process.run_script import Outcome
from treino_doctor.record.lines import own_files
from treino_doctor.rules import rules
from treino_doctor.words import _


def _idle(outcome: Outcome) -> list[Idle]:
    """Comments of known rules count only where the whole script was seen training."""
    whole = outcome.trained and not outcome.error and not outcome.stopped
    return [each for each in idle(own_files(), rules()) if whole or not each.known]


def idle_comments(outcome: Outcome) -> list[str]:
    """A sentence for each of them."""
    lines = []
    for each in _idle(outcome):
        if each.known:
            sentence = _("doctor: {place} ignores {rule}, and there was no such finding.")
        elif each.rule:
            sentence = _("doctor: {place} ignores {rule}, and there is no such rule.")
        else:
            sentence = _("doctor: {place} ignores no rule: write # doctor: ignore RULE, reason")
        lines.append(sentence.format(place=place(each.site.file, each.site.line), rule=each.rule))
    return lines


def comments_as_json(outcome: Outcome) -> dict[str, Any]:
    """``ignores``, if there are such comments."""
    listed = [
        {"file": each.site.file, "line": each.site.line, "rule": each.rule, "known": each.known}
        for each in _idle(outcome)
    ]
    return {"ignores": listed} if listed else {}
