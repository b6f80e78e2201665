"""Graphs of past steps that something still holds."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.outcomes import GraphsHeld
from treino.diagnosis.rules.graph_kept_alive import RULE as WORDS
from treino.diagnosis.where.kept import kept

ALIVE = 8  # graphs; a few may live in a window of the newest
SUMMED = 3  # ... where a line adds them up from step to step


def decide(log: Log) -> Iterable[Evidence]:
    """Marks in the graphs of past backwards, or of results that were trained on, live on long after."""
    held = sorted(log.of(GraphsHeld), key=lambda g: (g.result, -g.alive))
    for graphs in held:
        if graphs.alive >= (ALIVE if graphs.summed_at is None else SUMMED):
            numbers = {"alive": graphs.alive, "backwards": graphs.marked, "results": int(graphs.result)}
            yield Evidence(graphs.site, numbers, at=graphs.summed_at)
            return


def place(evidence: Evidence) -> Site | None:
    """The line that sums or stores what has a graph."""
    return evidence.at or kept(evidence.seen, result=bool(evidence.numbers["results"]))


RULE = Rule(WORDS, decide, place)
