"""Queries of a value's graph that several rules share."""

from collections.abc import Iterable, Set
from typing import Any

from treino_doctor.record.log import Forward, Graph, Log, LossCall, Operation
from treino_doctor.record.values import VIEWS

ALL_INPUTS = ("cat", "stack", "hstack", "vstack", "concat", "concatenate")
SHAPED = ("unflatten", "view_as", "reshape_as", "expand", "expand_as")
TURNED = ("permute", "transpose", "t", "T", "mT", "movedim", "swapaxes")
SOME = ("getitem", "select", "index_select", "masked_select", "narrow", "chunk", "split", "unbind")
# Operations that keep values: views, other types, copies, some of the rows.
PASSED = {*VIEWS, *ALL_INPUTS, *SHAPED, *TURNED, *SOME, "type", "dropout", "data", "alias"}
DROPS = ("dropout", "alpha_dropout", "dropout1d", "dropout2d", "dropout3d")
REGRESSIONS = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
CHOICES = frozenset(("argmax", "max", "topk", "sort", "argsort", "round", "min"))
ARRAYS = ("numpy", "array", "tolist")  # ways in which outputs leave torch whole


def ends(graph: Graph, operation: Operation | None) -> Iterable[Operation]:
    """The operations behind a value, past those that keep values; an active dropout is such an end."""
    if operation is None:
        return
    parents = graph.parents(operation)
    if operation.name not in PASSED or drops(operation) or not parents:
        yield operation
        return
    for parent in parents if operation.name in ALL_INPUTS else parents[:1]:
        yield from ends(graph, parent)


def drops(operation: Operation) -> bool:
    """Whether an operation is an active dropout."""
    on = argument(operation, "training", 2) is not False and argument(operation, "p", 1) != 0
    return operation.name in DROPS and on


def made_by(
    graph: Graph, *names: str, start: Operation | None = None, through: Set[str] = PASSED
) -> Operation | None:
    """The operation with one of these names that made a value, possibly through views and copies."""
    root = start or graph.root
    if root is None:
        return None
    every = graph.walk(root, through=through) if root.name in through else iter([root])
    return next((operation for operation in every if operation.name in names), None)


def argument(operation: Operation, name: str, place: int) -> Any:
    """A plain argument of an operation; None if it is absent."""
    detail = operation.detail
    as_in_numpy = detail.get("axis") if name == "dim" else None
    return detail.get(name, detail.get(str(place), as_in_numpy))


def plain_factor(operation: Operation) -> float | None:
    """The number by which ``mul`` or ``div`` multiplies; None if it isn't one plain number."""
    by = [v for k, v in operation.detail.items() if k in ("0", "1", "other") and isinstance(v, (int, float))]
    if len(by) != 1 or not by[0]:
        return None
    return 1 / by[0] if operation.name == "div" else float(by[0])


def is_given(call: LossCall) -> bool:
    """Whether a loss's target comes from no net."""
    root = call.target_graph.root
    return root is not None and not root.forwards


def regressions(log: Log) -> list[LossCall]:
    """The losses of regressions that train towards targets that come from no net."""
    return [c for c in log.of(LossCall) if c.name in REGRESSIONS and c.trained and is_given(c)]


def calls_by_number(log: Log) -> dict[int, Forward]:
    """All recorded calls of nets, by number."""
    return {f.forward: f for f in log.of(Forward)}


def classifiers(log: Log) -> set[int]:
    """The nets whose outputs entered a loss with class labels."""
    forwards = calls_by_number(log)
    return {forwards[n].net for c in log.of(LossCall) if c.labels for n in c.forwards if n in forwards}


def is_column(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one of two shapes is [N, 1] and the other [N]."""
    short, long = sorted((one, other), key=len)
    return len(long) == 2 and long[1] == 1 < long[0] and short == long[:1]


def bootstraps(graph: Graph) -> bool:
    """Whether a loss by hand is of a difference from answers of a net that get no gradient."""
    every = (graph.parents(o) for o in graph.operations if o.name == "sub")
    return any(any(p.forwards and not p.grad for p in of) and any(p.grad for p in of) for of in every)
