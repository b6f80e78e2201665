"""The rules: one file each, found by their ``RULE``; all of them read one log."""

import pkgutil
from functools import cache
from importlib import import_module

from treino.diagnosis.faults.rule import Rule
from treino.diagnosis.finding import Finding
from treino.diagnosis.record.log import Log

GROUPS = ("gradients", "losses", "modes", "data", "settings")


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of their groups, certain ones first."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        rule = getattr(import_module(f"{__name__}.{module.name}"), "RULE", None)
        if isinstance(rule, Rule):
            found.append(rule)
    return {r.id: r for r in sorted(found, key=lambda r: (GROUPS.index(r.group), not r.certain, r.id))}


def decide(log: Log, *, early: bool = False) -> tuple[list[Finding], list[str]]:
    """The findings of all rules, certain ones first, and the defects of rules that raised.

    early: only rules that may speak before the end.
    """
    findings: list[Finding] = []
    defects: list[str] = []
    for rule in rules().values():
        if early and not rule.early:
            continue
        try:
            findings += [rule.finding(evidence) for evidence in rule.decide(log)]
        except Exception as error:
            defects.append(f"{rule.id}: {type(error).__name__}: {error}")
    found = {f.rule for f in findings}
    findings = [f for f in findings if not found & set(rules()[f.rule].unless)]
    unique = {(f.rule, f.file, f.line): f for f in reversed(findings)}
    kept = [f for f in findings if unique[f.rule, f.file, f.line] is f]
    return sorted(kept, key=lambda f: (not f.certain, ("wrong", "risk", "waste").index(f.severity))), defects
