"""The registry: every file of this folder that has a RULE, in the order of their groups."""

import pkgutil
from dataclasses import replace
from functools import cache
from importlib import import_module

from treino_doctor.finding import Finding
from treino_doctor.places.ignores import forget, ignored
from treino_doctor.places.source import refresh
from treino_doctor.record.log import Log
from treino_doctor.rules.rule import Rule

GROUPS = ("gradients", "losses", "modes", "data", "settings")


@cache
def rules() -> dict[str, Rule]:
    """All rules by id."""
    every = []
    for found in pkgutil.iter_modules(__path__):
        file = vars(import_module(f"{__name__}.{found.name}"))
        if isinstance(rule := file.get("RULE"), Rule):
            own = {name: file[name] for name in ("decide", "place", "note") if name in file}
            every.append(replace(rule, id=found.name, **own))
    return {r.id: r for r in sorted(every, key=lambda r: (GROUPS.index(r.group), not r.certain, r.id))}


def findings_to_report(findings: list[Finding]) -> list[Finding]:
    """The findings that no other finding explains, each line once; certain ones first, then the worst."""
    ids = {f.rule for f in findings}
    findings = [f for f in findings if not ids & set(rules()[f.rule].unless)]
    unique = {(f.rule, f.file, f.line): f for f in reversed(findings)}
    distinct = [f for f in findings if unique[f.rule, f.file, f.line] is f]
    return sorted(distinct, key=lambda f: (not f.certain, ("wrong", "risk", "waste").index(f.severity)))


def decide(log: Log, *, early: bool = False, heed: bool = True) -> tuple[list[Finding], list[str]]:
    """Return the findings of all rules, certain ones first, and the errors of rules that raised.

    early: only rules that may report before the end. heed: leave out what comments in the source silence.
    """
    findings: list[Finding] = []
    defects: list[str] = []
    refresh()
    forget()
    for name, rule in rules().items():
        if early and not rule.early:
            continue
        try:
            pairs = [(rule.finding(e), e.seen) for e in rule.decide(log) if not (rule.note and rule.note(e))]
            findings += [f for f, s in pairs if not heed or not (ignored(f.place, name) or ignored(s, name))]
        except Exception as error:
            defects.append(f"{name}: {type(error).__name__}: {error}")
    return findings_to_report(findings), defects


def notes(log: Log) -> list[str]:
    """Sentences about what may be intended and so is no finding."""
    return [n for r in rules().values() if r.note for e in r.decide(log) if (n := r.note(e))]
