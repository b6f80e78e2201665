"""Rows whose labels belong to other rows."""

import ast

from treino_doctor.base.words import _, numeral
from treino_doctor.places.placement import maker, orders, passes_on
from treino_doctor.places.source import calls
from treino_doctor.record.log import LossCall, Read
from treino_doctor.record.row_log import Evaluated, Misaligned, RowsTrained
from treino_doctor.rules.course import training
from treino_doctor.rules.graphs import ARRAYS, made_by
from treino_doctor.rules.judged import is_figure
from treino_doctor.rules.rule import LEARNS_LITTLE, Evidence, Faults, Log, Rule, Site, by_line, script

AGAIN, OTHER = 40, 0.25  # rows that came back with a label, and the share with another label
STUCK = 0.85  # times the loss of a constant prediction
RARE = 0.01  # expected number of rows equal by chance
CLASSES = 100  # maximum number. All thresholds are chosen, not measured
BOUNDED = ("relu", "sigmoid", "tanh", "softmax", "hardtanh", "clamp")  # functions that limit predictions


def decide(log: Log) -> Faults:
    """The same rows have other labels later on, or only rows or only labels were reordered, and nothing is
    learned. Or the predictions for a loader's rows were compared with labels that were not shuffled. Other
    labels are right where the nets' own answers went to NumPy: it may make labels of them, as clustering
    does; and where several nets learn, labels may be shuffled on purpose for one of them."""
    known = by_line(log.of(Misaligned), lambda m: m.how)
    for judged in known.get("compared", ()):
        what = _("the answers to {rows} rows, in a loader's order, are compared with their labels in another")
        numbers = {"rows": judged.rows, "other": judged.other, "what": what.format(rows=judged.rows)}
        yield Evidence(judged.site, numbers, stack=judged.stack, sites={"loader": judged.loader})
    for met in (e for e in log.of(Evaluated) if e.fitting):
        what = _(
            "{right} of the answers to {rows} new rows agree with the labels that they are compared with, "
            "which is chance, and {other} with other labels that the program holds"
        )
        numbers = {"rows": met.rows, "right": met.right, "other": met.fitting}
        filled = numbers | {"what": what.format(**numbers)}
        yield Evidence(met.site, filled, stack=met.stack, sites={"met": met.met_at})
    for drawn in known.get("sampled", ()):
        what = _("the sampler's weights of {other} of {rows} rows are those of another class")
        numbers = {"rows": drawn.rows, "other": drawn.other}
        yield Evidence(drawn.site, numbers | {"what": what.format(**numbers)}, at=drawn.site)
    course = training(log)
    stuck = course is not None and course.known and course.stuck(STUCK)
    if not stuck or course is None or any(map(cut_off, course.calls)):
        return  # limited predictions may learn nothing from any labels
    trains = log.of(RowsTrained)
    if len(trains) > 1:
        return
    clustered = any(r.how in ARRAYS and r.graph.root and not is_figure(r) for r in log.of(Read))
    for t in trains:
        classes = 2 <= len(t.labels) <= min(CLASSES, sum(t.labels.values()) // 2)
        other = t.again >= AGAIN and t.other > OTHER * t.again and t.alike
        if other and classes and t.chance < RARE and not clustered:
            what = _("{other} of {rows} rows came with another label later on")
            numbers = {"rows": t.again, "other": t.other, "what": what.format(rows=t.again, other=t.other)}
            yield Evidence(t.site, numbers, stack=t.stack, sites={"loader": t.loader})
            return
    for one in known.get("alone", ()):
        loss = numeral(course.last(), ".4g")
        what = _("nothing was learned that holds for new rows; the loss ends at {loss}")
        numbers = {"rows": one.rows, "other": 0, "loss": course.last(), "what": what.format(loss=loss)}
        yield Evidence(one.at, numbers, at=one.site, sites={"loader": None})
        return


def cut_off(call: LossCall) -> bool:
    """Whether a loss's predictions end in a ReLU, or saturate although it needs logits or any numbers."""
    bounded = made_by(call.graph, *BOUNDED)
    return bounded is not None and (bounded.name != "sigmoid" or call.name != "binary_cross_entropy")


def place(evidence: Evidence) -> Site | None:
    """The line that reorders rows or labels, or reads them in another order."""
    if evidence.at is not None:
        return evidence.at
    if met := evidence.sites.get("met"):
        return evidence.seen if passes_on(met, most=2) else met
    origin = evidence.sites["loader"], evidence.stack
    return maker(evidence.seen, shuffles, *origin) or maker(evidence.seen, orders, *origin)


def shuffles(value: ast.AST) -> bool:
    """Whether an expression requests its own order of rows: ``shuffle=True``."""
    keywords = [k for c in calls(value) for k in c.keywords if k.arg == "shuffle"]
    return any(getattr(k.value, "value", False) is True for k in keywords)


RULE = Rule(
    group="data",
    certain=False,
    unless=(*LEARNS_LITTLE, "lr_too_low"),
    message="Rows and labels don't belong together: {what}.",
    why="""One of the two was shuffled without the other, or taken from another part, so that each row meets
    another row's label. There is nothing to learn but the classes' shares, and nothing to measure but
    chance.""",
    fix="""Split rows and labels together, and index them with the same permutation (or keep them in one
    Dataset); compare answers with the labels that came in their batch.""",
    safety="Depends on the line: rows and labels must be put in order by one and the same order.",
    limits="""Seen are four cases: torch put rows alone or labels alone in another order; the same rows come
    back with other labels; answers are compared with labels in another order; or the answers to 40 new rows
    or more agree with their labels by chance, and with other classes that the program held as a tensor
    before its first step (of another part, shifted, in an order that torch used) so that no luck explains it.
    Not seen are orders that NumPy or pandas changed before the first tensor was made, targets that are
    numbers, and a training that learns its wrong labels by heart.""",
    wrong="x = x[torch.randperm(240)]\n" + script(settings="lr=0.5", steps=60),
    mend={"x = x[torch.randperm(240)]\n": "order = torch.randperm(240)\nx, y = x[order], y[order]\n"},
)
