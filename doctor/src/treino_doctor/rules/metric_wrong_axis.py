"""An argmax over the rows instead of the classes, or predictions [N, 1] compared with labels [N]."""

from typing import Any

from treino_doctor.base.words import _
from treino_doctor.places.placement import caller, passes_on
from treino_doctor.record.log import Forward, Graph, LossCall, Operation, Read
from treino_doctor.record.values import VIEWS
from treino_doctor.rules.graphs import argument, calls_by_number, classifiers, ends, is_column
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script

BEST = ("argmax", "max", "topk")
COMPARED = ("eq", "ne", "sub", "isclose")
KEEPS = VIEWS | {"getitem", "cat", "stack"}
MOST = 200  # maximum number of operations searched


def decide(log: Log) -> Faults:
    """argmax of a classifier over the rows, over all entries, or over the only column; or over labels of
    which a row may have several; or [N, 1] == [N]."""
    forwards, labelled = calls_by_number(log), classifiers(log)
    several = {forwards[n].net for c in log.of(LossCall) if c.several for n in c.forwards if n in forwards}
    looked_at = [r for r in log.of(Read) if r.graph.root is not None]
    sites = set()
    for reads in by_line(looked_at, lambda r: r.site).values():
        wrong = [(r, best) for r in reads if (best := _along_rows(r, forwards, labelled)) is not None]
        one = [(r, best) for r in reads if (best := _one_label(r, forwards, several)) is not None]
        wrong = wrong or one
        alike = [(r, met) for r in reads if (met := _itself(r)) is not None]
        wide = alike or [(r, met) for r in reads if (met := _stretched(r)) is not None]
        if not (wrong or wide) or (wrong or wide)[-1][1].site in sites:
            continue
        event, made = (wrong or wide)[-1]
        sites.add(made.site)
        shapes = sorted((p.shape for p in event.graph.parents(made)[:2]), key=len)
        dim = axis_of(made) if wrong else None
        numbers: dict[str, Any] = {"calls": len(wrong or wide), "looked": len(reads), "right": 1}
        numbers |= {"dim": _("none") if dim is None else dim, "shape": str(list(shapes[-1]))}
        what = _("argmax over dim {dim} of an output of shape {shape}, whose classes are on dim {right}")
        if dim is not None and shapes[-1][dim] == 1:
            what = _("argmax over dim {dim} of an output of shape {shape}: one column's best is always 0")
        if wrong is one and one:
            what = _(
                "argmax over dim {dim} of an output of shape {shape}: of several labels of a row, one counts"
            )
        if not wrong:
            numbers["labels"] = str(list(shapes[0]))
            what = _("outputs of shape {shape} are compared with labels of shape {labels}")
            what = _("answers are compared with themselves, and meet no label") if alike else what
        yield Evidence(made.site, numbers | {"what": what.format(**numbers)}, stack=event.stack)


def axis_of(best: Operation) -> int | None:
    """The axis of an argmax, a max or a topk; None for all at once."""
    dim = argument(best, "dim", 2 if best.name == "topk" else 1)
    return dim if isinstance(dim, int) and not isinstance(dim, bool) else None


def _along_rows(event: Read, forwards: dict[int, Forward], labelled: set[int]) -> Operation | None:
    """The argmax of a classifier's output over rows or over all entries, compared with labels."""
    for best in event.graph.operations:
        if best.name not in BEST or not best.forwards:
            continue
        of = event.graph.parents(best)[:1]
        called = forwards.get(best.forwards[-1])
        if not of or called is None or called.net not in labelled or len(of[0].shape) != 2:
            continue
        dim = axis_of(best)
        whole = dim is None and best.name == "argmax"
        rows_first = of[0].shape[0] == called.rows > 1 and of[0].shape[1] > 1
        square = of[0].shape[0] == of[0].shape[1]  # similarities of pairs: either axis may be right
        alone = dim is not None and of[0].shape[dim] == 1 < of[0].shape[0]  # an axis of size one
        if (alone or (rows_first and (whole or (dim in (0, -2) and not square)))) and _is_used(event, best):
            return best
    return None


def _one_label(event: Read, forwards: dict[int, Forward], several: set[int]) -> Operation | None:
    """The argmax over labels of which a row may have several, compared with that of the labels themselves."""
    for met in (o for o in event.graph.operations if o.name in COMPARED):
        both = [o for p in event.graph.parents(met) for o in ends(event.graph, p) if o.name in BEST]
        own = [o for o in both if o.forwards and axis_of(o) in (1, -1) and o.forwards[-1] in forwards]
        if len(both) == 2 and len(own) == 1 and forwards[own[0].forwards[-1]].net in several:
            return own[0]
    return None


def _is_used(event: Read, best: Operation) -> bool:
    """Whether the result is compared with anything; other uses aren't metrics."""
    todo = [p for o in event.graph.operations if o.name in COMPARED for p in event.graph.parents(o)]
    for one in todo:
        if one is best:
            return True
        if one.name in KEEPS and len(todo) < MOST:
            todo += event.graph.parents(one)[:1]
    return False


def _itself(event: Read) -> Operation | None:
    """A comparison of the classes that an answer gives with those of the same answer."""
    graph = event.graph
    for met in (o for o in graph.operations if o.name in ("eq", "ne") and len(o.parents) == 2):
        sides = [_chosen_of(graph, p) for p in graph.parents(met)]
        if sides[0] is not None and sides[0] == sides[1]:
            return met
    return None


def _chosen_of(graph: Graph, value: Operation) -> tuple[str, int] | None:
    """(how, the place in a graph of the answer) of a value that is an answer's class; None of any other."""
    how, at = "", graph.operations.index(value)
    while (one := graph.operations[at]).forwards and one.parents:
        of = graph.parents(one)[0]
        if one.name == "argmax" or (one.name in ("max", "topk") and one.detail.get("part") == 1):
            first = one.name != "topk" or argument(one, "k", 1) == 1
            how = f"of axis {(axis_of(one) or 0) % max(1, len(of.shape))}" if first else ""
        elif one.name in ("round", "gt", "ge"):
            how = f"above {argument(one, 'other', 1) or 0 if one.name != 'round' else 0.5}"
        elif one.name == "getitem" or one.name not in (*KEEPS, "softmax", "log_softmax", "sigmoid"):
            break
        at = one.parents[0]
    return (how, at) if how else None


def _stretched(event: Read) -> Operation | None:
    """A comparison of predictions [N, 1] with labels [N], outside of training."""
    for met in event.graph.operations:
        parents = event.graph.parents(met)
        if met.name not in COMPARED or met.grad or len(parents) < 2 or len(met.shape) != 2:
            continue
        plain = [p for p in parents[:2] if not p.forwards]
        if len(plain) == 1 and is_column(parents[0].shape, parents[1].shape) and met.shape[0] == met.shape[1]:
            return met
    return None


RULE = Rule(
    group="settings",
    unless=("target_broadcast",),
    # the line of the metric, or of the caller that chose the shapes
    place=lambda e: caller(e.stack) if passes_on(e.seen, most=2) else e.seen,
    message="""This figure is taken along the wrong axis: {what} ({calls} of {looked} {looked:call|calls}
    looked at).""",
    why="""Along the first axis the best row of each class is found, not the best class of each row; a column
    against a row compares each answer with every label; a mean over the outputs is a figure of each row, not
    of each output. What comes of it is not what it is called.""",
    fix="""Of several columns take argmax(dim=1), the class axis; compare a single column with 0 if it holds
    logits, with 0.5 if it holds probabilities, and in this way each label of which a row may have several.
    Compare with labels of the same shape, and average over the rows (dim=0).""",
    safety="Safe: only the figure changes.",
    limits="""An argmax, a max, a topk or an equality of a net's answers is judged where torch compares it
    with labels. Not seen: answers that are compared as lists or arrays, an `all` or a mean over the wrong
    axis, and maps of one row.""",
    wrong=script()
    + """\
    with torch.no_grad():
        accuracy = (net(x).argmax() == y).float().mean()
""",
    mend={"argmax()": "argmax(1)"},
)
