"""Softmax over another axis than the classes (or the keys)."""

from collections.abc import Iterable

from treino_doctor.places.settings import setting, written
from treino_doctor.places.source import calls, same, written_on
from treino_doctor.record.log import Backward, Graph, LossCall, Operation, Softmaxed, WeightsApplied
from treino_doctor.rules.graphs import PASSED, axis, calls_by_number, classifiers
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, by_line, script, shown

CLASSES = ("cross_entropy", "nll_loss")
SOFT = ("softmax", "log_softmax")
LOGGED = frozenset(("log", "add", "clamp", "clamp_min"))  # operations that may precede a logarithm
PLACED = frozenset(("to", "neg", "mul"))
MAPS = 4  # axes of a batch of maps
CALLS = (*SOFT, "Softmax", "LogSoftmax")


def decide(log: Log) -> Faults:
    """A softmax before a loss or a product is over another axis than the one it must sum over."""
    yield from _before_losses(log)
    yield from _by_hand(log)
    yield from _of_outputs(log)
    for applied in by_line(log.of(WeightsApplied), lambda e: e.softmax).values():
        wrong = [w for w in applied if w.dim != w.summed]
        if len(wrong) == len(applied):
            first = wrong[0]
            numbers = {"calls": len(wrong), "looked": len(applied), "dim": first.dim, "right": first.summed}
            yield Evidence(first.site, numbers, at=first.softmax, stack=first.stack)


def _before_losses(log: Log) -> Faults:
    looked_at = [c for c in log.of(LossCall) if c.name in CLASSES and c.graph.root is not None]
    for call, made, counts in shown(looked_at, _across):
        right = 1 if made.shape == call.input_shape else len(made.shape) - 1
        numbers = counts | {"dim": axis(made) or 0, "right": right}
        yield Evidence(call.site, numbers, at=made.written, stack=call.stack)


def _across(call: LossCall) -> Operation | None:
    """The softmax of a loss's input that ran over another axis than the classes."""
    made = softmax_behind(call.graph, call.graph.root)
    dim = axis(made) if made is not None else None
    if made is None or dim is None or len(call.input_shape) < 2:
        return None
    if made.shape == call.input_shape:
        return made if dim != 1 else None
    classes = call.input_shape[1]
    return made if classes in made.shape and made.shape[dim] != classes else None


def _by_hand(log: Log) -> Faults:
    """A hand-written loss picks probabilities by labels along one axis, but the softmax is over another."""
    for b in log.of(Backward):
        for values, picked in _picks(b.graph) if not b.losses else ():
            soft = softmax_behind(b.graph, values)
            if soft is not None and soft.shape == values.shape and axis(soft) not in (None, picked):
                numbers = {"calls": 1, "looked": 1, "dim": axis(soft) or 0, "right": picked}
                yield Evidence(b.site, numbers, at=soft.written, stack=b.stack)
                return


def _picks(graph: Graph) -> Iterable[tuple[Operation, int]]:
    """Yield values that labels index, and the axis: by ``gather``, as ``p[rows, labels]``, or by a product
    with one-hot labels. (For similarities of n rows with n rows, either axis is right.)"""
    for o in graph.operations:
        first, *others = graph.parents(o) or (o,)
        last = len(first.shape) - 1
        if last < 1 or first.shape[0] == first.shape[1]:
            continue
        if o.name == "gather" and (picked := axis(o, 1)) is not None:
            yield first, picked
        elif o.name == "getitem" and len(others) == last + 1:
            yield first, last
        elif o.name == "mul" and last == 1:
            both = [first, *others]
            places = [p for p in both if any(w.name == "one_hot" for w in graph.walk(p, through=PLACED))]
            yield from ((p, last) for p in both if places and p not in places)


def softmax_behind(graph: Graph, start: Operation | None) -> Operation | None:
    """The softmax that a value comes from, directly or as its logarithm."""
    one = start
    while one is not None and one.name not in SOFT:
        behind = graph.parents(one)
        plain = one.name in PASSED or (one.name in LOGGED and len(behind) == 1)
        one = behind[0] if behind and plain else None
    return one


def _of_outputs(log: Log) -> Faults:
    """A softmax over the rows, applied to the output of a net that learns labels or outputs maps."""
    forwards, labelled = calls_by_number(log), classifiers(log)
    known = {m.site for c in log.of(LossCall) if (m := softmax_behind(c.graph, c.graph.root)) is not None}
    soft = [s for s in log.of(Softmaxed) if s.site not in known and len(s.shape) in (2, MAPS)]
    for events in by_line(soft, lambda s: s.site).values():
        called = [(s, forwards[s.forward]) for s in events if s.dim == 0 and s.forward in forwards]
        of_rows = [(s, f) for s, f in called if f.rows == s.shape[0] > 1]
        wrong = [s for s, f in of_rows if f.net in labelled or len(s.shape) == MAPS]
        if wrong and len(wrong) == len(events):
            numbers = {"calls": len(wrong), "looked": len(events), "dim": 0, "right": 1}
            yield Evidence(wrong[-1].site, numbers, stack=wrong[-1].stack)


def place(evidence: Evidence) -> Site | None:
    """The line that sets the axis."""
    line = evidence.at or evidence.seen
    named = setting(line, "dim")
    if line is None or not same(named, line):
        return named
    dims = (c.args[-1] for c in calls(written_on(line), *CALLS) if c.args and not c.keywords)
    return next((at for dim in dims if (at := written(line, dim)) is not None), line)


RULE = Rule(
    group="losses",
    early=True,
    message="""This softmax runs over dim {dim}; the probabilities must sum to one over dim {right} ({calls}
    of {looked} {looked:call|calls} looked at).""",
    why="""Along the wrong axis each row is mixed with the other rows of the batch (or each key with other
    queries), and the probabilities of one row don't sum to one. The result depends on which rows happen to be
    together.""",
    fix="Pass the class axis: dim=1 for [batch, classes], dim=-1 for attention over keys.",
    safety="Safe: the probabilities of a row then sum to one.",
    limits="""Which axis holds the classes is known from the loss, from labels that pick answers, or from the
    product that uses the weights; without any of these, as of overlaps by hand, nothing is told.""",
    wrong=script(loss="F.nll_loss(F.log_softmax(net(x), dim=0), y)"),
    mend={"dim=0": "dim=1"},
)
