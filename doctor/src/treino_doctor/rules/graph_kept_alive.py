"""Graphs of past steps that something still holds."""

from treino_doctor.places.updates import storing_line
from treino_doctor.record.outcomes import GraphsHeld
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script

ALIVE = 8  # minimum number of graphs; a few recent ones may be kept on purpose
SUMMED = 3  # the same, if a line sums them from step to step
LET_GO = 0.5  # times the largest number alive: with more that the program released, memory does not grow


def decide(log: Log) -> Faults:
    """Graphs of past backwards, or of outputs that were trained on, are still alive many steps later, and
    are not let go after each epoch, fold or training."""
    held = sorted(log.of(GraphsHeld), key=lambda g: (g.result, g.grown, -g.alive))
    for graphs in (g for g in held if g.released < LET_GO * g.alive):
        if graphs.grown or graphs.alive >= (ALIVE if graphs.summed_at is None else SUMMED):
            numbers = {"alive": graphs.alive, "backwards": graphs.marked, "results": int(graphs.result)}
            yield Evidence(graphs.site, numbers, at=graphs.summed_at)
            return


RULE = Rule(
    group="modes",
    severity="waste",
    early=True,
    # the line that sums or stores a value with a graph
    place=lambda e: e.at or storing_line(e.seen, result=bool(e.numbers["results"])),
    message="The graphs of {alive} past losses or outputs are still alive after {backwards} backwards.",
    why="""A loss or an output that is summed or stored as a tensor holds its whole graph, so that memory
    grows with every step. Only its value is wanted.""",
    fix="Keep what you need without its graph: loss.item() for a number, .detach() for an output.",
    safety="Safe: the numbers stay the same, the memory is freed.",
    limits="""Losses that are kept as tensors are counted in every step, other results only in the steps that
    are recorded. Graphs that are kept for a few steps, as in truncated back-propagation, or released after
    each epoch, are left alone. The line named is the one that adds the loss up, or the line beside the
    backward that passes the loss on to it.""",
    wrong="total = 0\n" + script(steps=20) + "    total += loss\n",
    mend={"total += loss": "total += loss.item()"},
)
