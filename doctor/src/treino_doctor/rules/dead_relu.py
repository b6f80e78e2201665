"""ReLU units that are zero for every row."""

from treino_doctor.base.words import _, numeral
from treino_doctor.record.log import Backward, Graph, Operation
from treino_doctor.record.outcomes import Rectified
from treino_doctor.record.row_log import RowsTrained
from treino_doctor.rules.course import training
from treino_doctor.rules.graphs import PASSED
from treino_doctor.rules.rule import DEEP, STAYS_AT_CHANCE, Evidence, Faults, Log, Rule, script

LEAST = 3  # minimum number of calls
DEAD = 0.9  # share of a layer's units, in each of the newest calls
STUCK = 0.9  # times the loss of a constant prediction
PAIRS = 8  # units times rows of the data: fewer may all be zero by chance
LEARNED = 0.1  # times the first loss: below this the net learns. All thresholds are chosen, not measured
CUT, FELL = 0.5, 0.8  # share of the answers that are cut off; times the first loss: it hardly fell. Chosen


def decide(log: Log) -> Faults:
    """Most answers were cut off by a limit that all gradients have to pass, and the loss hardly fell. Or at
    least 90 % of a ReLU layer's units were zero for every row of the newest calls; and the loss is no
    better than a constant prediction's, or the layer's output is the same for every row and the loss is
    still above a tenth of the first."""
    loss = training(log)
    if loss is None:
        return
    limits = [cutting(b.graph) for b in log.of(Backward) if b.site == loss.site and b.graph.root is not None]
    sure = [o for o in limits if o is not None]
    often = len(limits) >= LEAST and 2 * len(sure) >= len(limits)
    if often and limits[-1] is not None and loss.last() > FELL * loss.first():
        share = numeral(min(o.detail["cut"] for o in sure), ".0%")
        what = _("at least {share} of the answers are cut off by {kind}, where no gradient passes")
        text = what.format(share=share, kind=sure[-1].name)
        yield Evidence(loss.site, {"what": text, "dead": 0, "loss": loss.last()}, at=sure[-1].written)
        return
    rows = max((t.rows for t in log.of(RowsTrained)), default=PAIRS)
    for r in sorted(log.of(Rectified), key=lambda r: -min(r.dead, default=0) / max(1, r.units)):
        dead = min(r.dead[-8:], default=0)
        silent = loss.stuck(STUCK) or (r.constant and loss.last() > LEARNED * loss.first())
        if len(r.dead) >= LEAST and dead >= DEAD * r.units and silent and rows * r.units >= PAIRS:
            what = _("{dead} of {units} units of a ReLU layer are zero for every row")
            text = what.format(dead=dead, units=r.units)
            yield Evidence(r.site, {"what": text, "dead": dead, "loss": loss.last()}, at=r.below or r.made_at)
            return


def cutting(graph: Graph) -> Operation | None:
    """The limit of a net's answers that all gradients of a loss have to pass, and that cuts off most of them.
    What is limited after it was computed with given values, as in a hinge loss, is none of the answers."""
    for limit in (o for o in graph.operations if o.detail.get("cut", 0) >= CUT and o is not graph.root):
        after = [o for o in (graph.root,) if o is not None]
        for one in after:
            after += [p for p in graph.parents(one) if p.grad and p is not limit and p not in after]
        before = graph.parents(limit)[:1]
        while before and before[0].name in PASSED:
            before = graph.parents(before[0])[:1]
        earlier = [o for o in before if o.name in ("sub", "mul", "add", "div")]
        inputs = ([p for o in ops for p in graph.parents(o)] for ops in (after, earlier))
        judged, mixed = (  # a tensor that no gradient goes back to
            any(not p.grad and p.name != "parameter" and p.shape for p in ps) for ps in inputs
        )
        if judged and not mixed and not any(o.name == "parameter" for o in after):
            return limit
    return None


RULE = Rule(
    group="settings",
    certain=False,
    unless=(*STAYS_AT_CHANCE, "unshuffled_sorted", "non_finite_loss"),
    message="Zero where it should not be: {what}; the loss ends at {loss}.",
    why="""Where its input is below zero for all rows a ReLU passes neither values nor gradients, so that the
    unit can't recover.""",
    fix="Lower lr, start biases at zero, or use LeakyReLU or GELU; cut answers off only after training.",
    safety="Another start, rate or activation is a new training.",
    limits="""Units are looked at in the steps that are recorded. Told only if the loss is no better than that
    of a constant answer.""",
    wrong=script(f"{DEEP}\nnn.init.constant_(net[0].bias, -50.0)", steps=40),
    mend={"nn.init.constant_(net[0].bias, -50.0)\n": ""},
)
