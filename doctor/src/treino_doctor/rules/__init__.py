"""The registry: the rule of every file of this folder that has a RULE, in the order of the rules' groups."""

import pkgutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from itertools import starmap
from typing import Any

from treino_doctor.base.words import _, joined
from treino_doctor.cells import place_name
from treino_doctor.defects import attempt
from treino_doctor.finding import Finding, Site
from treino_doctor.places.ignores import forget, ignored
from treino_doctor.places.source import refresh
from treino_doctor.record.log import Log
from treino_doctor.rules.rule import Evidence, Note, Rule

GROUPS = ("gradients", "losses", "modes", "data", "settings")
# Beside certain findings on gradients and losses, what decides whether anything is learned.
OF_ROWS = ("nan_inputs", "label_misaligned", "unscaled_inputs", "unscaled_targets", "axes_mixed")
FIRST = (*OF_ROWS, "symmetric_init", "attention_mask_wrong")
TEXTS = ("message", "why", "fix", "safety", "limits")


@cache
def _in_file(name: str) -> Rule | None:
    """The rule in the file of this name; None if the file has none."""
    file = vars(import_module(f"{__name__}.{name}"))
    rule: Rule | None = file.get("RULE")
    if rule is None:
        return None
    own: dict[str, Any] = {part: file[part] for part in ("decide", "place", "note") if part in file}
    own |= {text: " ".join(getattr(rule, text).split()) for text in TEXTS}
    return replace(rule, id=name, **own)


@cache
def _files(path: tuple[str, ...]) -> list[str]:
    """The names of the files in this folder, which is listed once."""
    return [file.name for file in pkgutil.iter_modules(path)]


def rules(names: Iterable[str] | None = None) -> dict[str, Rule]:
    """All rules by id, or only those of these names; then only their files are imported."""
    every = map(_in_file, _files(tuple(__path__)) if names is None else names)
    known = [r for r in every if r is not None]
    return {r.id: r for r in sorted(known, key=lambda r: (GROUPS.index(r.group), not r.certain, r.id))}


def findings_to_report(findings: list[Finding]) -> list[Finding]:
    """The findings that no other finding explains, each line once; first what decides how training goes."""
    known = rules({f.rule for f in findings})
    findings = [f for f in findings if not known.keys() & set(known[f.rule].unless)]
    unique = {(f.rule, f.file, f.line): f for f in reversed(findings)}
    distinct = [f for f in findings if unique[f.rule, f.file, f.line] is f]

    def order(f: Finding) -> tuple[int, bool, bool]:
        """The severest first; of these what the loss is of and where it leads, and then what is certain."""
        own = known[f.rule]
        decides = f.rule in FIRST or (own.certain and own.group in ("gradients", "losses"))
        return ("wrong", "risk", "waste").index(f.severity), not decides, not f.certain

    return sorted(distinct, key=order)


def decide(
    log: Log, names: Iterable[str] | None = None, *, early: bool = False, heed: bool = True
) -> tuple[list[Finding], list[str]]:
    """Return the findings of the rules, the most decisive first, and the errors of rules that raised.

    names: the rules to ask, all by default. early: only rules that may report before the end. heed: leave out
    findings that comments in the source silence.
    """
    findings: list[Finding] = []
    defects: list[str] = []
    refresh()
    forget()

    def told(r: Rule) -> list[Finding]:
        pairs = [(r.finding(e), e.seen) for e in r.decide(log) if not (r.note and r.note(e))]
        return [f for f, s in pairs if not heed or not (ignored(f.place, r.id) or ignored(s, r.id))]

    for name, r in rules(names).items():
        if r.early or not early:
            findings += attempt(defects, name, partial(told, r), [])
    return attempt(defects, "findings", partial(findings_to_report, findings), findings), defects


def notes(log: Log, defects: list[str] | None = None) -> list[str]:
    """Sentences about things that may be intended and so are no findings; each once, with all its places.

    defects: gets the errors of rules that raised; None: they are raised.
    """
    places: dict[tuple[str, tuple[tuple[str, Any], ...]], Counter[Site]] = defaultdict(Counter)

    def told(note: Callable[[Evidence], Note | None], r: Rule) -> list[Note]:
        return [said for e in r.decide(log) if (said := note(e)) is not None]

    every = ((r.note, r) for r in rules().values() if r.note)
    for note in (n for of, r in every for n in attempt(defects, r.id, partial(told, of, r), [])):
        places[note.sentence, (*note.values.items(),)][note.site] += 1
    lines = {note: joined(starmap(_often, sites.items()), "; ") for note, sites in places.items()}
    return [_(sentence).format(**dict(values), place=at) for (sentence, values), at in lines.items()]


def _often(site: Site, times: int) -> str:
    """A line's name, with how often it is told of if that is more than once."""
    place = place_name(site.file, site.line)
    return place if times == 1 else _("{place} ({n} times)").format(place=place, n=times)
