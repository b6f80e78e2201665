"""A learning-rate schedule that is not stepped in the way it was made for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from treino_doctor.base.words import N_, _
from treino_doctor.places.source import names, written_on
from treino_doctor.places.updates import unreached_step
from treino_doctor.record.log import Ended, Graph, LossCall, Read, Stepped
from treino_doctor.record.outcomes import ScheduleEnded
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import Evidence, Faults, Log, Note, Rule, Site, as_recorded, script

LEAST = 12  # minimum number of updates of a schedule that is judged
LONG = 10  # updates after which a schedule should have been stepped; not measured
FEW = 0.34  # share of the planned steps: fewer leave the rate nearly at its start
NEAR = 0.1  # relative difference between two counts that are about equal
STARVED = 0.5  # share of the updates with almost no rate; correct schedules have under a third
AGAIN = 3  # steps, times those of a half-wave: from here on, the rate goes up and down
SHORT = 0.67  # share of the planned steps: with fewer, the rate never comes down; not measured
KNOWN = 2  # minimum number of different figures that must be recognised
COUNTS = {
    *("to", "sum", "mean", "nanmean", "div", "mul", "add", "all", "count_nonzero", "view", "reshape"),
    *("flatten", "squeeze", "clone", "detach", "cat", "stack", "where", "getitem", "expand"),
}
MIRRORED = frozenset(("sub", "ne", "neg", "logical_not", "bitwise_not", "invert"))


def decide(log: Log) -> Faults:
    """A schedule was never stepped; was stepped before the first update, or for an optimizer that was
    replaced; or was stepped per batch instead of per epoch, or the reverse."""
    finished = any(e.finished for e in log.of(Ended))
    rows = max((c.input_shape[0] for c in log.of(LossCall) if c.trained and c.input_shape), default=0)
    steps = max((e.step for e in log.of(Ended)), default=0)
    stepped = next((e.site for e in reversed(log.of(Stepped))), None)
    right, losses = None, None
    for s in log.of(ScheduleEnded):
        what, at = misuse(s, finished, rows, steps)
        if not what and s.metrics:
            right = shares_of_right(log) if right is None else right
            losses = losses_told(log) if losses is None else losses
            what, at = misfed(s, right, losses), s.site
        if what:
            numbers = {"scheduler": s.kind, "what": what, "calls": s.calls, "updates": s.updates}
            sites = {"stepped": stepped, "made": s.site}
            yield Evidence(s.step_at or s.site, numbers, at=at, stack=s.stack, sites=sites)


def misuse(s: ScheduleEnded, finished: bool, rows: int, steps: int) -> tuple[str, Site | None]:
    """Return a description of what is wrong with one schedule, and the line; "" if nothing is."""
    if s.calls == 0:
        return (_("was never stepped"), s.site) if s.updates >= LONG and finished else ("", None)
    if s.lent:
        return "", None
    if s.updates == 0 and s.calls >= 2 and steps >= LONG and not s.heir:
        return _("steers an optimizer that never steps"), s.site
    if s.heir is not None and s.left >= 3:
        what = _("goes on steering an optimizer whose parameters another one steps, at a rate of its own")
        return what, s.heir
    if s.before and s.updates:
        what = _("was stepped before the optimizer's first update, so that its first rate is skipped")
        return what, s.step_at
    if s.starved > STARVED * s.updates and s.updates >= LEAST and s.calls > 0.5 * s.updates:
        return _("took the rate below 1 % of its start for most updates: it is stepped per batch"), s.step_at
    horizon = s.horizon
    long = s.updates >= LEAST and finished and horizon > 0
    if long and s.calls < FEW * horizon and near(s.updates, horizon):
        what = _("was made for {n} {n:step|steps} and got {k}: step it after every batch")
        return what.format(n=horizon, k=s.calls), s.step_at
    per_update = near(s.calls, s.updates)
    for_more = near(s.backwards, horizon) or near(rows * s.updates, horizon)
    if long and per_update and s.calls < SHORT * horizon and for_more:
        what = _("was made for {n} {n:step|steps} and got {k}: its rate never comes down")
        return what.format(n=horizon, k=s.calls), s.site
    if s.kind == "CosineAnnealingLR" and horizon and s.calls >= AGAIN * horizon and per_update:
        what = _("was made for {n} {n:step|steps} and got {k}: its rate goes up again")
        return what.format(n=horizon, k=s.calls), s.step_at
    return "", None


def misfed(s: ScheduleEnded, right: set[float], losses: set[float]) -> str:
    """What is wrong with the metrics passed to a plateau schedule; "" if nothing is."""
    shares, lost = (known_again(s.metrics, told) for told in (right, losses))
    if shares == lost:
        return ""
    if s.mode == "min" and shares:
        return _("has mode min and is given the share of right answers, which should grow")
    if s.mode == "max" and lost:
        return _("has mode max and is given the loss, which should fall")
    return ""


def place(evidence: Evidence) -> Site | None:
    """The recorded line; if a library steps the schedule, the line that makes it."""
    site = as_recorded(evidence)
    if site is None or not evidence.numbers["calls"]:
        return site
    own = any("step" in name or "LR" in name for node in written_on(site) for name in names(node))
    return site if own else evidence.sites["made"]


def note(evidence: Evidence) -> Note | None:
    """A note on the unreached line that would step a never stepped schedule."""
    numbers, made = evidence.numbers, evidence.seen
    step = unreached_step(made, evidence.sites["stepped"]) if not numbers["calls"] else None
    if step is None or made is None:
        return None
    text = N_("{scheduler} was never stepped in this run; not reached: {place}.")
    if step[1]:
        text = N_("{scheduler} was never stepped in this run; not reached: {place} ({test}).")
    return Note(text, step[0], {"scheduler": numbers["scheduler"], "test": step[1][:80]})


def near(one: int, other: int) -> bool:
    """Whether two counts are about equal."""
    return abs(one - other) <= NEAR * other


def known_again(figures: Iterable[float], told: set[float]) -> bool:
    """Whether several different figures are among ``told``, unchanged or in percent; more than there are of
    1 - figure, as the shares of wrong answers would be."""
    known = {f"{unit * t:.6g}" for t in told for unit in (1, 100)} - {"0"}
    every = list(figures)
    found = {f"{f:.6g}" for f in every} & known
    turned = max(len({f"{whole - f:.6g}" for f in every} & known) for whole in (1, 100))
    return len(found) >= KNOWN and len(found) > turned


def shares_of_right(log: Log) -> set[float]:
    """The shares and numbers of predictions that equal their labels, of single reads and of whole looks."""
    calls = calls_by_number(log)
    lines = {(r.how, r.site) for r in log.of(Read) if counts_right(r.graph)}
    other = {(r.how, r.site) for r in log.of(Read) if r.graph.operations and not counts_right(r.graph)}
    looks: dict[Any, list[tuple[float, int]]] = defaultdict(list)
    for read in (r for r in log.of(Read) if (r.how, r.site) in lines - other and r.value == r.value):
        call = calls.get(max(read.forwards, default=0))
        looks[read.how, read.site, read.stack, read.turn].append((read.value, call.rows if call else 0))
    return {figure for look in looks.values() for figure in combined(look)}


def counts_right(graph: Graph) -> bool:
    """Whether a value is just a count or a mean of predictions that equal given values."""
    every = list(graph.walk(through=COUNTS))
    equal = [o for o in every if o.name == "eq"]
    answers = ([bool(p.forwards) for p in graph.parents(o)] for o in equal)
    compared = all(any(of) and not all(of) for of in answers)
    plain = all(o.name in COUNTS or not o.forwards for o in every if o not in equal)
    return bool(equal) and compared and plain and not any(o.name in MIRRORED for o in every)


def losses_told(log: Log) -> set[float]:
    """The losses of single calls and of whole looks; without losses that are negated to be maximised."""
    looks: dict[Any, list[tuple[float, int]]] = defaultdict(list)
    for call in (c for c in log.of(LossCall) if c.forwards and c.value > 0):
        rows = call.input_shape[0] if call.input_shape else 0
        looks[call.site, call.stack, call.turn if not call.trained else -call.loss].append((call.value, rows))
    return {figure for look in looks.values() for figure in combined(look)}


def combined(look: list[tuple[float, int]]) -> Iterator[float]:
    """The values, their sum and mean, the sum weighted by rows, and the mean weighted by rows."""
    whole, rows = sum(v for v, _n in look), sum(n for _v, n in look)
    yield from (v for v, _n in look)
    yield from (whole, whole / len(look))
    if rows:
        yield from (whole / rows, sum(v * n for v, n in look) / rows)


SCHEDULER = "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)\n"

RULE = Rule(
    group="settings",
    message="{scheduler} {what} ({calls} {calls:call|calls}, {updates} {updates:update|updates}).",
    why="""A schedule counts its own calls: stepped at another pace than it was made for, the rate is nearly
    zero too early, or never reaches its course. Before the first update it skips the first rate. One that
    waits for a figure to fall cuts the rate of a net whose right answers become more.""",
    fix="""Call scheduler.step() after optimizer.step(): once per epoch for StepLR and the like, once per
    batch for OneCycleLR. Give ReduceLROnPlateau mode='max' for a share of right answers, the default for a
    loss.""",
    safety="The rate follows another course: look at it once more.",
    limits="""A schedule of one's own, that sets `param_groups` by hand, is not judged, nor is the length of
    one of its own class, or that of a factor. What ReduceLROnPlateau is given is known where it is read from
    torch in the program, as a loss or as answers that equal their labels. One that is never stepped while a
    line would do it is a note: a condition may not have come true, or nobody calls the function around
    it.""",
    wrong=script(steps=40).replace("for ", SCHEDULER + "for ") + "    scheduler.step()\n",
    mend={"step_size=2": "step_size=20"},
)
