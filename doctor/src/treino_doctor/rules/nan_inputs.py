"""NaN or infinity in the rows that enter the net."""

import math

from treino_doctor.places.placement import divides, maker, misses, scales
from treino_doctor.record.log import Course, LossCall, Read
from treino_doctor.record.row_log import BadRows
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script

CHOOSES = ("getitem", "masked_select", "index_select", "take")


def decide(log: Log) -> Faults:
    """Rows with NaN went in, and the outputs or the loss weren't finite (nets that mask NaN are right, and so
    are programs that leave out some of the outputs)."""
    lost = {f for c in log.of(LossCall) if not math.isfinite(c.value) for f in c.forwards}
    spoiled_course = any(not all(map(math.isfinite, c.values)) for c in log.of(Course))
    before = next((c.turn for c in log.of(LossCall) if c.trained and not math.isfinite(c.value)), None)
    bad = [b for b in log.of(BadRows) if before is None or b.turn <= before or not b.learning]
    chosen = {f for r in log.of(Read) for f in chosen_from(r)}
    spoiled = {b.forward for b in bad if b.spoiled} - chosen
    hurt = [b for b in bad if b.forward in spoiled | lost or (b.forward < 0 and spoiled_course)]
    if not hurt:
        return
    hurt = [b for b in hurt if b.learning] or hurt
    first = hurt[0]
    numbers = {"rows": sum(b.rows for b in hurt), "calls": len(hurt)}
    numbers["losses"] = sum(b.forward in lost or b.forward < 0 for b in hurt) or sum(b.spoiled for b in hurt)
    sites = {"loader": first.loader}
    yield Evidence(first.site, numbers, at=first.made_at, stack=first.stack, sites=sites)


def chosen_from(event: Read) -> set[int]:
    """The calls from which a metric uses only some rows."""
    graph, forwards = event.graph, set[int]()
    for o in graph.operations:
        of = graph.parents(o)[:1] if o.name in CHOOSES and o.shape else []
        if of and of[0].forwards and of[0].shape[:1] > o.shape[:1]:
            forwards |= set(o.forwards)
    return forwards


def place(evidence: Evidence) -> Site | None:
    """The nearest line that made the rows and may give NaN; None selects the first tensor with NaN."""
    origin = evidence.sites["loader"], evidence.stack
    ways = (maker(evidence.seen, fits, *origin) for fits in (divides, misses, scales))
    return next(filter(None, ways), None)


HOLE = 'x[3, 2] = float("nan")\n'

RULE = Rule(
    group="data",
    early=True,
    unless=("uninitialised_tensor",),
    message="""At least {rows} {rows:row|rows} with NaN or infinity went into the net, and made {losses}
    {losses:loss or answer|losses or answers} not finite.""",
    why="""NaN spreads: one cell makes the row's output, the batch's loss and then every parameter NaN.
    Skipping such losses leaves the other rows of the batch out as well.""",
    fix="""Drop or fill the missing values before they become a tensor (with the training rows' mean or
    median). A tensor that is made by its sizes alone, as torch.FloatTensor(n, m) is, holds anything until
    something is written into it: make it with torch.zeros or torch.randn.""",
    safety="To fill or drop values changes the data: choose by what the gaps mean.",
    limits="Rows are looked at as they enter a net; values that a program masks afterwards are left alone.",
    wrong=HOLE + script(),
    mend={HOLE: ""},
)
