"""The rules that read the log, one file each, with the ids, the words and the order of all rules."""

from functools import cache
from importlib import import_module

from treino.diagnosis.faults.rule import Rule
from treino.diagnosis.finding import Finding
from treino.diagnosis.record.log import Log
from treino.diagnosis.rules import findings_to_report
from treino.diagnosis.rules import rules as all_rules
from treino.diagnosis.where.source import ignored, refresh


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of their groups, certain ones first."""
    return {name: import_module(f"{__name__}.{name}").RULE for name in all_rules()}


def decide(log: Log, *, early: bool = False) -> tuple[list[Finding], list[str]]:
    """The findings of all rules, certain ones first, and the defects of rules that raised.

    early: only rules that may speak before the end.
    """
    findings: list[Finding] = []
    defects: list[str] = []
    refresh()
    for name, rule in rules().items():
        if early and not rule.words.early:
            continue
        try:
            found = [(rule.finding(evidence), evidence.seen) for evidence in rule.decide(log)]
            findings += [f for f, seen in found if not (ignored(f.place, name) or ignored(seen, name))]
        except Exception as error:
            defects.append(f"{name}: {type(error).__name__}: {error}")
    return findings_to_report(findings), defects
