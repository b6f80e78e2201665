"""Evaluation calls of nets: metrics were computed from their outputs, and no backward followed."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from treino_doctor.finding import Site
from treino_doctor.record.log import (
    Backward,
    Ended,
    Forward,
    Graph,
    Log,
    LossCall,
    NetMade,
    Operation,
    OptimizerMade,
    Reached,
    Read,
)
from treino_doctor.record.row_log import RowsEvaluated
from treino_doctor.rules.graphs import ARRAYS, CHOICES, bootstraps, calls_by_number, is_given
from treino_doctor.rules.rule import by_line
from treino_doctor.rules.turns import trained_forwards

LEFT_OUT = 10  # training calls per other call; with more, the other calls are batches that training left out
SHARES = frozenset(("softmax", "sigmoid"))  # functions of outputs; the arrays that they return become metrics
NUMBERS = ("float", "item")
DRAWN = frozenset(("multinomial", "bernoulli", "normal", "poisson"))
DIFFERENCES = "sub", "gather", "getitem"  # of a prediction and a target, in a hand-written loss
COMPARES = frozenset(("eq", "ne", "gt", "lt", "ge", "le", "isclose"))


@dataclass
class Group:
    """The calls of one net from one line: the innermost that led there and to no training, if there is one.

    judged: calls with metrics that did not train. unwalked: calls that recorded a graph through which no
    gradient went. trained: number of those that trained. targets: whether some outputs became targets. again:
    numbers of judged calls with rows that one of the group had in training mode, without a step between.
    """

    net: NetMade
    site: Site | None
    judged: list[Forward] = field(default_factory=list)
    unwalked: list[Forward] = field(default_factory=list)
    trained: int = 0
    targets: bool = False
    again: set[int] = field(default_factory=set)

    @property
    def evaluates(self) -> bool:
        """Whether these calls are evaluations."""
        return bool(self.judged) and not self.targets and self.trained <= LEFT_OUT * len(self.judged)


def groups(log: Log) -> list[Group]:
    """The calls of all nets, grouped by net and line."""
    nets = {n.net: n for n in log.of(NetMade)}
    used = trained_forwards(log)
    backward = {f for b in log.of(Backward) for f in b.forwards}
    backward |= {f for r in log.of(Reached) for f in r.forwards}
    backward |= {f for r in log.of(Read) if r.how == "grad" for f in r.forwards}
    backward |= _inside(log, nets)
    held = [(o.optimizer, o.parameters) for o in log.of(OptimizerMade)]
    holders = {n: {o for o, own in held if own & set(made.parameters)} for n, made in nets.items()}
    owners = {f.forward: holders[f.net] for f in log.of(Forward)}  # call -> the optimizers of its net
    targets, figures = set[int](), dict[int, Read | LossCall]()
    answering, calls = supervised(log), calls_by_number(log)
    known = (r for r in log.of(Read) if calls.get(max(r.forwards, default=0)))
    arrays = [r for r in known if r.how in (*ARRAYS, *NUMBERS)]
    acts = [r for r in log.of(Read) if _acts(r, calls, answering)]
    single = {id(r) for r in acts if r.how not in ARRAYS and calls[max(r.forwards)].rows == 1}
    lines = {(r.how, r.site) for r in log.of(Read) if is_figure(r) and id(r) not in single}
    lines |= {(r.how, r.site) for r in arrays if calls[max(r.forwards)].net in answering}
    choices = (r for r in (*acts, *filter(_is_drawn, log.of(Read))) if max(r.forwards, default=0) in calls)
    chosen = {(r.site, calls[max(r.forwards)].net) for r in choices}
    gathering = {(e.net, e.stack) for e in log.of(RowsEvaluated) if 2 * e.gathered > e.given}
    writing = {(e.net, e.stack) for e in log.of(RowsEvaluated) if e.made}  # as text, word by word
    end = max((e.turn for e in log.of(Ended)), default=math.inf)
    counts = {(r.how, r.site) for r in arrays if r.how in NUMBERS and _is_count(r)}
    counted = {max(r.forwards) for r in arrays if (r.how, r.site) in counts}
    counted -= {max(r.forwards) for r in arrays if r.how in ARRAYS}
    before = {f.again for f in calls.values() if f.forward in backward} - counted  # targets of NumPy's
    for event in log.events:
        if isinstance(event, LossCall):
            root = event.target_graph.root
            targets |= set(root.forwards) if root is not None else set()
            newest = event.forwards[-1:]
            figures |= {f: figures.get(f, event) for f in newest}
        elif isinstance(event, Read) and (event.how, event.site) in lines:
            figures |= {f: figures.get(f, event) for f in _together(event.forwards, owners)}
    learned = {p for f in log.of(Forward) if f.forward in used for p in nets[f.net].parameters}
    trained = {n: made for n, made in nets.items() if learned & set(made.parameters)}
    shared = {s for f in log.of(Forward) if f.forward in backward for s in f.stack}
    shared |= {s for f in log.of(Forward) for s in f.inside}
    keys = {f.forward: (f.net, line_of(f, shared)) for f in log.of(Forward)}
    trains = {keys[f] for f in backward & keys.keys()}
    every: dict[tuple[int, Site | None], Group] = {}
    repeated: dict[int, frozenset[tuple[int, Site | None]]] = {}  # call -> groups that judged its rows awake
    for call in log.of(Forward):
        key = keys[call.forward]
        group = every.setdefault(key, Group(nets[call.net], key[1]))
        group.trained += call.forward in backward
        group.targets = group.targets or call.forward in targets
        if call.forward in backward or call.forward in before:
            continue
        if key in trains and call.training and call.grad and call.turn == end:
            continue  # the program ended before its backward
        net = group.net
        if net.net not in trained and not (net.loaded and net.kind in {n.kind for n in trained.values()}):
            continue
        if call.grad and (call.forward in figures or key not in trains):
            group.unwalked.append(call)
        if (figure := figures.get(call.forward)) is None:
            continue
        place = call.net, call.stack
        awake = bool(call.active or call.dropping or call.norming)
        acting = (figure.site, call.net) in chosen and place not in writing
        if awake and (acting or place in gathering):
            continue  # a rollout, whose rows are to be trained on
        before_here = repeated.get(call.again, frozenset())
        if key in before_here:
            group.again.add(call.forward)
        if awake:
            repeated[call.forward] = before_here | {key}
        group.judged.append(call)
    return list(every.values())


def _inside(log: Log, nets: dict[int, NetMade]) -> set[int]:
    """The calls since the last backward of nets with weights that got gradients by no call's answer, as by a
    loss that a net keeps of what it computed."""
    held = {o.optimizer: o.parameters for o in log.of(OptimizerMade)}
    turns = by_line(log.of(Forward), lambda f: f.turn)
    calls = set[int]()
    for event in log.of(Backward):
        own, filled = turns.get(event.turn, []), {p for o in event.filled for p in held.get(o, ())}
        filled -= {p for f in own if f.forward in event.forwards for p in nets[f.net].parameters}
        calls |= {f.forward for f in own if filled & set(nets[f.net].parameters)}
    return calls


def line_of(call: Forward, shared: Collection[Site | None] = ()) -> Site | None:
    """The innermost line that led to a call, outside of ``forward`` and, if there is one, not shared."""
    lines = *(s for s in call.stack if s.function != "forward"), call.site
    return next((s for s in lines if s not in shared), lines[0])


def supervised(log: Log) -> set[int]:
    """The nets whose outputs were trained towards targets that come from no net and aren't the inputs."""
    calls, nets = calls_by_number(log), set[int]()
    trained = [c for c in log.of(LossCall) if c.trained]
    if 2 * sum(c.bootstrapped for c in trained) > len(trained):
        return nets
    for loss in trained:
        call = calls.get(max(loss.forwards, default=0))
        if call is not None and is_given(loss) and _are_answers(call.shape, loss.target_shape):
            nets.add(call.net)
    for answered, shape in _by_hand(log, calls):
        if shape[:1] == (answered.rows,) and _are_answers(answered.shape, shape):
            nets.add(answered.net)
    return nets


def copying(log: Log) -> set[int]:
    """The nets that were trained to return their inputs, and nothing else."""
    calls = calls_by_number(log)
    losses = ((calls.get(max(c.forwards, default=0)), c.target_shape) for c in log.of(LossCall) if c.trained)
    pairs = [*losses, *_by_hand(log, calls)]
    alike = {f.net for f, shape in pairs if f and f.shape == shape and not _are_answers(f.shape, shape)}
    return alike - supervised(log)


def _are_answers(inputs: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a target's shape is that of one or a few numbers a row, and not that of the inputs."""
    wide = [n for n in target[1:] if n != 1]
    return len(wide) < 2 and (not wide or inputs != target)


def _acts(event: Read, calls: dict[int, Forward], answering: set[int]) -> bool:
    """Whether a value is a choice, compared with nothing, of a net that learns no given targets: the action
    of an agent."""
    call = calls.get(max(event.forwards, default=0))
    if call is None or call.net in answering or event.how not in (*ARRAYS, *NUMBERS, "int", "index"):
        return False
    made = [*event.graph.walk()]
    return bool(made) and not any(o.name in COMPARES or _is_difference(event.graph, o) for o in made)


def _is_drawn(event: Read) -> bool:
    """Whether a value was drawn by chance from a net's answers."""
    return any(o.name in DRAWN and o.forwards for o in event.graph.operations)


def _by_hand(log: Log, calls: dict[int, Forward]) -> Iterator[tuple[Forward, tuple[int, ...]]]:
    """The calls whose predictions a hand-written loss compares with given values, and these values' shape."""
    for backward in (b for b in log.of(Backward) if not b.losses and not bootstraps(b.graph)):
        for operation in (o for o in backward.graph.operations if o.name in DIFFERENCES):
            parents = backward.graph.parents(operation)
            fixed = [p for p in parents if not p.forwards and not p.grad and p.shape]
            answers = [p for p in parents if p.forwards and p.grad]
            single = len(answers) == 1 and len(fixed) in (1, 2 if operation.name == "getitem" else 1)
            call = calls.get(max(answers[0].forwards)) if single else None
            if call is not None:
                yield call, fixed[-1].shape


def _together(forwards: tuple[int, ...], owners: dict[int, set[int]]) -> list[int]:
    """The calls that a metric describes: the newest, and calls of nets that share its net's optimizer. (If
    a discriminator judges a generator's samples, that is no evaluation of the generator.)"""
    newest = owners.get(forwards[-1], set()) if forwards else set()
    return [f for f in forwards if f == forwards[-1] or newest & owners.get(f, set())]


def is_figure(event: Read) -> bool:
    """Whether a read value is a metric: a comparison, a choice, shares, a loss, a difference from targets."""
    if event.how == "compared":
        return True
    made = list(event.graph.walk())
    if event.how in ARRAYS and any(o.name in SHARES and o.forwards for o in made):
        return True
    if any(o.name in CHOICES | COMPARES or "loss" in o.detail for o in made):
        return True
    return any(_is_difference(event.graph, o) for o in made)


def _is_count(event: Read) -> bool:
    """Whether a number counts answers that equal given values."""
    equal = [event.graph.parents(o) for o in event.graph.operations if o.name == "eq" and o.forwards]
    return any(any(p.shape and not p.forwards for p in parents) for parents in equal)


def _is_difference(graph: Graph, operation: Operation) -> bool:
    """Whether an operation subtracts given values for the same rows, as far as is known."""
    if operation.name != "sub":
        return False
    parents = graph.parents(operation)
    given = [p for p in parents if not p.forwards]
    return len(parents) != 1 and (not parents or any(p.shape[:1] == operation.shape[:1] for p in given))
