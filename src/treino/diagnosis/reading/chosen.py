"""Choices by figures of test rows that no other rows judge: the source says by which figure is decided, the
evaluations that ran say of which rows it was made.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.deciding import Decision, decisions, sets_threshold
from treino.diagnosis.reading.figures import Figures, Leaf
from treino.diagnosis.reading.names import says_test, says_validation
from treino.diagnosis.reading.roles import alike, changed_from, handed_at, roles, shows_known_parts, told_at
from treino.diagnosis.reading.source import call_at, function_of, tree
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.tables import DataSeen


@dataclass(frozen=True)
class Chosen:
    """Where the figure that decides is told to be one of test rows, and the evaluations that gave it."""

    place: Site
    evals: list[EvalSeen]

    @property
    def rows(self) -> set[int]:
        return set().union(*(e.rows for e in self.evals))

    @property
    def looks(self) -> int:
        return sum(len(e.phases) for e in self.evals)


def chosen(data: DataSeen, evals: list[EvalSeen]) -> Chosen | None:
    """The first choice by rows that were looked at twice or more, if no others are looked at afterwards."""
    parts = roles(evals)
    for path in {site.file for e in evals for site in e.names}:
        module = tree(path)
        if module is None or all(part == "validation" for part in parts.values()):
            continue
        runs = Runs(path, evals, parts)
        figures = Figures(module, runs.known, runs.mixed)
        for decision in decisions(figures):
            found = _by_test(decision, figures, runs)
            looked = found is not None and (_again(found.evals) or sets_threshold(decision, figures))
            if found is not None and looked and not _judged(found, evals, parts, data):
                return found
    return None


class Runs:
    """Which evaluations each call of a file led to."""

    def __init__(self, path: str, evals: list[EvalSeen], parts: dict[int, str]) -> None:
        self.path = path
        self.of: dict[int, dict[int, EvalSeen]] = {}
        self._parts = parts
        for e in evals:
            for site, spot in zip(e.names, e.spots, strict=False):
                call = call_at(site, spot) if site.file == path else None
                if call is not None:
                    self.of.setdefault(id(call), {})[id(e)] = e
        several = {call for call in self.of if len({parts[e] for e in self.of[call]}) > 1}
        self.known, self.mixed = self.of.keys() - several, several

    def parts(self, leaves: Iterable[Leaf]) -> set[str]:
        """The parts of the rows that figures were made of."""
        found = [self.of[id(leaf.node)] for leaf in leaves if id(leaf.node) in self.of]
        said = ({self._parts[e] for e in evals} for evals in found)
        return {part.pop() if len(part) == 1 else "" for part in said}


def _by_test(decision: Decision, figures: Figures, runs: Runs) -> Chosen | None:
    leaves = set().union(*(figures.leaves(*by) for by in decision.by))
    parts, named = runs.parts(leaves), [leaf for leaf in leaves if leaf.name]
    if not parts or ("" in parts and says_validation({leaf.name for leaf in named})):
        return None
    told = [leaf for leaf in named if says_test({leaf.name})]
    if parts - {""} not in (set(), {"test"}) or ("" in parts and not told):
        return None
    figures.loose = True
    others = runs.parts(set().union(*(figures.leaves(*by) for by in decision.by)))
    figures.loose = False
    calls = [n for n in (leaf.node for leaf in leaves) if id(n) in runs.of and isinstance(n, ast.Call)]
    evals = list({i: e for call in calls for i, e in runs.of[id(call)].items()}.values())
    if others != parts or "" in parts:  # of several figures that are at hand, this one is taken
        taken = [leaf.node for leaf in told]
        lines = [n.lineno for n in taken if isinstance(n, (ast.Subscript, ast.Attribute))]
    else:
        sites = {site for call in calls for e in runs.of[id(call)].values() if (site := told_at(e, call))}
        around = figures.function(decision.node)
        within = [s for s in sites if function_of(s) is around]
        if sites and not within:
            return Chosen(min(sites, key=lambda s: s.line), evals)
        handed = {s for call in calls for e in runs.of[id(call)].values() if (s := handed_at(e, call))}
        if not sites and handed:
            return Chosen(min(handed, key=lambda s: s.line), evals)
        made = _object_made(calls, figures) if not sites else None
        if made is not None:
            return Chosen(Site(runs.path, made.lineno), evals)
        lines = [s.line for s in within] if decision.compares else []
    before = [line for line in lines if line <= decision.line]
    return Chosen(Site(runs.path, max(before, default=decision.line)), evals)


def _object_made(calls: list[ast.Call], figures: Figures) -> ast.Call | None:
    """The only line that makes the object which evaluates the rows that it was given: ``KeepBest(test)``."""
    for call in calls:
        owner = figures.owner(call)
        given = [n for a in call.args for n in ast.walk(a) if isinstance(n, ast.Attribute)]
        own = any(isinstance(n.value, ast.Name) and n.value.id == "self" for n in given)
        makers = [c for c in figures.calls.get(getattr(owner, "name", ""), ()) if c.args or c.keywords]
        if own and len(makers) == 1:
            return makers[0]
    return None


def _again(evals: list[EvalSeen]) -> bool:
    """Whether the same rows were looked at more than once, not others each time."""
    again = (len(e.phases) > 1 and len(e.rows) <= 1.5 * e.first for e in evals)
    return any(again) or any(alike(e, o) for e in evals for o in evals)


def _judged(found: Chosen, evals: list[EvalSeen], parts: dict[int, str], data: DataSeen) -> bool:
    """Whether other rows, on which nothing learned or was chosen, are looked at afterwards."""
    shown, began = found.rows, min(min(e.phases) for e in found.evals)
    own = {id(e) for e in found.evals}
    trained = {id(t.net): t.rows.keys() for t in data.trains.values() if t.rows}
    for e in evals:
        if id(e) in own or parts[id(e)] in ("train", "validation") or max(e.phases) < began:
            continue
        if len(e.rows - shown) <= 0.02 * len(e.rows) or len(e.trained_before) > 0.5 * len(e.rows):
            continue
        if (not parts[id(e)] and shows_known_parts(e)) or any(changed_from(e, o) for o in found.evals):
            continue
        copied = id(e.net) not in trained and parts[id(e)] != "test"
        if not copied or not any(len(e.rows & rows) >= 0.95 * len(e.rows) for rows in trained.values()):
            return True
    return False
