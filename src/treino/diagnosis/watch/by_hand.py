"""Losses written by hand, read from their graph: picked log-probabilities, differences, plain sums.

Nothing of them passes through ``torch.nn.functional``'s losses; the nodes and what they saved say the same.
"""

from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.lines import Lines
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import BackwardSeen
from treino.diagnosis.watch.targets import TARGET

MOST_ROWS = 100_000  # of which targets are kept
SCALES = {"NegBackward0", "DivBackward0", "MulBackward0", "ToCopyBackward0", "RsubBackward1"}
RESHAPES = {"SqueezeBackward0", "SqueezeBackward1", "ViewBackward0", "UnsafeViewBackward0"}
# Operations between a difference and the loss that it becomes.
ON_THE_WAY = {
    *("MeanBackward0", "MeanBackward1", "SumBackward0", "SumBackward1", "PowBackward0", "AbsBackward0"),
    *("MulBackward0", "NegBackward0", "DivBackward0", "SqrtBackward0", "AddBackward0", "SubBackward0"),
    *(
        "LogBackward0",
        "ExpBackward0",
        "ClampBackward1",
        "ClampMinBackward0",
        "ReluBackward0",
        "RsubBackward1",
    ),
    *("WhereBackward0", "MaximumBackward0", "Log1PBackward0", "SoftplusBackward0", "LogSigmoidBackward0"),
    *("LogCoshBackward0", "SigmoidBackward0"),
}
PREDICTS = {"AddmmBackward0", "MmBackward0", "SigmoidBackward0", "TanhBackward0", "ReluBackward0"}
PREDICTS |= {"LogBackward0", "LogSigmoidBackward0", "Log1PBackward0", "RsubBackward1"}
PREDICTS |= {"AddBackward0", "UnsafeViewBackward0", "ExpBackward0", "MvBackward0", "SoftplusBackward0"}

# What gives a loss for each row, which weights may multiply.
ROWS_OF_LOSS = {"MseLossBackward0", "SmoothL1LossBackward0", "HuberLossBackward0", "L1LossBackward0"}
ROWS_OF_LOSS |= {"BinaryCrossEntropyWithLogitsBackward0", "BinaryCrossEntropyBackward0"}
ROWS_OF_LOSS |= {"PowBackward0", "AbsBackward0"}


def keep(facts: BackwardSeen, root: torch.Tensor, value: float) -> None:
    """A loss that is about to run backward; and the labels of its batch, where it picks by labels."""
    facts.loss.append(value)
    _aim(facts, root.grad_fn)
    seen = facts.picks
    y = _picking(root.grad_fn) if seen is not None and len(seen.runs) < 4096 else None
    if seen is None or y is None or y.dim() != 1 or y.dtype != torch.long or y.device.type != "cpu":
        return
    if not len(y) or int(y.min()) < 0 or int(y.max()) > 1000:
        return
    counts = np.bincount(y.numpy())
    seen.add(counts)
    seen.classes = len(seen.counts)
    seen.values.append(value)
    seen.follow(counts)


def _aim(facts: BackwardSeen, root: Any) -> None:
    """The targets of ``((net(x) - y) ** 2).mean()``, or of the mean of its size."""
    if facts.targets.rows > MOST_ROWS or root is None or not root.name().startswith("MeanBackward"):
        return
    node = root.next_functions[0][0]
    name = node.name() if node is not None else ""
    parents = {f for f, _ in node.next_functions} if node is not None else set()
    squared = (name == "PowBackward0" and node._saved_exponent == 2) or name == "MulBackward0"
    made = parents.pop() if len(parents) == 1 and (squared or name == "AbsBackward0") else None
    known = made.metadata.get(TARGET) if made is not None and made.name() == "SubBackward0" else None
    target = known() if known is not None else None
    if target is not None and target.dim() and target.device.type == "cpu":
        facts.paired = "mse_loss" if squared else "l1_loss"
        facts.targets.add(target)


def _picking(node: Any) -> torch.Tensor | None:
    """The labels of ``-log_p[range(N), y].mean()``, or of ``gather``; None where it is no such loss, or one
    that weighs its rows, as of a policy's actions.
    """
    for _ in range(8):
        parents = [f for f, _ in node.next_functions if f is not None] if node is not None else []
        if len(parents) != 1:
            return None
        name = node.name()
        if name == "GatherBackward0":
            index: torch.Tensor = node._saved_index
            return index.squeeze(1) if index.dim() == 2 and index.shape[1] == 1 else None
        if name == "IndexBackward0":
            given = [t for t in node._saved_indices if t is not None]
            return given[1] if len(given) == 2 else None
        scales = name in SCALES and (name == "NegBackward0" or graph.shape_of(node) == ())
        if not scales and name not in RESHAPES and not name.startswith(("MeanBackward", "SumBackward")):
            return None
        node = parents[0]
    return None


def _of_log(node: Any, dim: int | None) -> tuple[Any, int | None]:
    """What a logarithm, perhaps of ``p + eps``, was taken of."""
    return graph.source(*graph.raised(*graph.source(node.next_functions[0][0], dim)))


class ByHand:
    """What is read from each graph of one line that calls backward."""

    def __init__(self, facts: BackwardSeen, lines: Lines, root: Any, nodes: list[Any]) -> None:
        self.facts, self.lines, self.root, self.nodes = facts, lines, root, nodes

    def read(self) -> None:
        """Fill in the facts."""
        for term, how, by in self._terms():
            if how == "sum" and graph.shape_of(term):
                self.facts.summed_rows = graph.shape_of(term)[0]
                self.facts.summed_at = self._line(by) or self._line(term)
            self._picked(term)
            self._less_sum(term)
        for node in self.nodes:
            name = node.name()
            if name in ("SubBackward0", "MulBackward0"):
                self._stretched(node)
                self._one_of_maps(node)
            elif name == "SumBackward1":
                self._weighed(node)
            elif name in ("GatherBackward0", "IndexBackward0"):
                self._picked_over_rows(node)
            elif name == "LogSigmoidBackward0":
                made, _ = graph.joined(*graph.source(node.next_functions[0][0], None))
                if made is not None and made.name() == "NegBackward0":
                    made, _ = graph.joined(*graph.source(made.next_functions[0][0], None))
                if made is not None and graph.squash(made)[0] == "sigmoid":
                    self.facts.sigmoid += 1
                    self.facts.sigmoid_at = self._line(made)

    def _line(self, node: Any) -> Site | None:
        return self.lines.of(self.facts.site, self.nodes, node)

    def _terms(self) -> list[tuple[Any, str, Any]]:
        """The summands of a loss, how each was reduced to a number, and by which node."""
        found: list[tuple[Any, str, Any]] = []
        stack: list[tuple[Any, str, Any]] = [(self.root, "", self.root)]
        for _ in range(40):
            if not stack:
                break
            node, how, by = stack.pop()
            name, parents = node.name(), [f for f, _ in node.next_functions if f is not None]
            if name in ("AddBackward0", "SubBackward0") and graph.shape_of(node) == ():
                stack += [(f, how, by) for f in parents]
            elif name in ("MeanBackward0", "SumBackward0") and parents:
                stack.append((parents[0], how or ("mean" if name[0] == "M" else "sum"), by if how else node))
            elif name in SCALES and len(parents) == 1:
                scaled = name == "DivBackward0" or (name == "MulBackward0" and not _weight(node) >= 0.1)
                stack.append((parents[0], how or ("scaled" if scaled else ""), by))
            else:
                found.append((node, how, by))
        return found

    # --- log-probabilities ----------------------------------------------------------------------------------
    def _picked(self, node: Any) -> None:
        """``-log_p[range(N), y]`` or ``log_p.gather(1, y)``: the axis of the classes is that of y."""
        logged = False
        while node is not None and (node.name() in RESHAPES or node.name() == "LogBackward0"):
            logged = logged or node.name() == "LogBackward0"
            node = node.next_functions[0][0]
        before = node.next_functions[0][0] if node is not None and node.next_functions else None
        if before is None:
            return
        if node.name() == "GatherBackward0":
            class_dim = graph.dim_of(node) % max(1, len(graph.shape_of(before)))
        elif node.name() == "IndexBackward0":
            given = [i for i, t in enumerate(node._saved_indices) if t is not None]
            if len(given) != 2 or len(graph.shape_of(before)) != 2:
                return
            class_dim = 1
        else:
            return
        self._log_probabilities(before, class_dim, logged)
        if self.facts.picks is None and class_dim == 1:
            self.facts.picks = LossSeen("nll_loss", self.facts.site)

    def _less_sum(self, term: Any) -> None:
        """``x.logsumexp(1) - x.gather(1, y)``, or the other way round, of what a softmax gave."""
        sides = [_behind(f) for f, _ in term.next_functions] if term.name() == "SubBackward0" else []
        names = [f.name() if f is not None else "" for f in sides]
        if "LogsumexpBackward0" not in names or not {"GatherBackward0", "IndexBackward0"} & set(names):
            return
        scores = [f.next_functions[0][0] for f in sides]
        made, _ = graph.source(scores[0], 1) if scores[0] is scores[1] is not None else (None, None)
        if made is not None and graph.squash(made)[0] == "softmax":
            self.facts.softmax += 1
            self.facts.softmax_at = self._line(made)

    def _picked_over_rows(self, node: Any) -> None:
        """``p.gather(1, y)``, or ``p[rows, y]``, of a softmax that ran over the rows, wherever it stands."""
        before = node.next_functions[0][0]
        made, dim = graph.source(before, 1) if before is not None else (None, None)
        if made is None or dim != 1 or graph.squash(made) not in (("softmax", 0), ("log_softmax", 0)):
            return
        if node.name() == "GatherBackward0":
            picked = graph.dim_of(node) % max(1, len(graph.shape_of(before))) == 1
        else:
            picked = len([t for t in node._saved_indices if t is not None]) == 2
        shape = graph.shape_of(made)
        plain = len(shape) == 2 and shape[0] != shape[1] and min(shape) > 1
        if picked and plain and not self.facts.wrong_dim:
            self.facts.wrong_dim, self.facts.wrong_dims = 1, (0, 1)
            self.facts.wrong_dim_at = self._line(made)

    def _log_probabilities(self, node: Any, class_dim: int, logged: bool = False) -> None:
        made, dim = graph.source(node, class_dim)
        if made is not None and made.name() == "LogBackward0":
            made, dim = _of_log(made, dim)
            logged = True
        kind, actual = graph.squash(made) if made is not None else ("", None)
        if kind != ("softmax" if logged else "log_softmax"):
            return
        shape = graph.shape_of(made)
        if dim is not None and actual is not None and actual != dim and shape[actual] > 1:
            self.facts.wrong_dim += 1
            self.facts.wrong_dim_at = self._line(made)
            self.facts.wrong_dims = (actual, dim)
        before, _ = graph.source(made.next_functions[0][0], dim)
        if before is not None and graph.squash(before)[0] == "softmax":
            self.facts.softmax += 1
            self.facts.softmax_at = self._line(before)

    def _weighed(self, node: Any) -> None:
        """``(target * log_p).sum(1)``: what is summed over must be what the softmax ran over."""
        before = node.next_functions[0][0]
        if before is None or before.name() != "MulBackward0" or len(graph.shape_of(before)) != 2:
            return
        dims = [d - 2**64 if d >= 2**63 else d for d in map(int, node._saved_dim)]
        if len(dims) == 1:
            for operand, _ in before.next_functions:
                if operand is not None and graph.shape_of(operand) == graph.shape_of(before):
                    self._log_probabilities(operand, dims[0] % 2)

    def _one_of_maps(self, node: Any) -> None:
        """``p * t`` of rows [B, C] or maps [B, C, H, W]: at each place t is one of the classes, but p, or
        what log p is made of, is a softmax over the rows, or over the places of one.
        """
        shape = graph.shape_of(node)
        known = len(shape) == 4 or (len(shape) == 2 and shape[0] != shape[1])
        if node.name() != "MulBackward0" or not known or shape[1] < 2 or self.facts.wrong_dim:
            return
        (left, _), (right, _) = node.next_functions[:2]
        target = node._saved_other if right is None else node._saved_self
        one = left if right is None else right
        if (left is None) == (right is None) or target is None or tuple(target.shape) != shape:
            return
        made, dim = graph.source(one, 1)
        if made is not None and made.name() == "LogBackward0":
            made, dim = _of_log(made, dim)
        kind, actual = graph.squash(made) if made is not None else ("", None)
        if dim != 1 or kind not in ("softmax", "log_softmax") or actual in (None, 1):
            return
        target = target.abs()  # of -t * log p
        whole = bool(((target == 0) | (target == 1)).all())
        if shape[actual] > 1 and whole and bool((target.sum(1) == 1).all()):
            self.facts.wrong_dim, self.facts.wrong_dims = 1, (actual, 1)
            self.facts.wrong_dim_at = self._line(made)

    # --- shapes ---------------------------------------------------------------------------------------------
    def _stretched(self, node: Any) -> None:
        """[N, 1] against [N] is [N, N]: seen where the loss is a mean of what that gives."""
        (left, _), (right, _) = node.next_functions[:2]
        if (left is None) == (right is None):
            return
        one = left or right
        prediction, out = graph.shape_of(one), graph.shape_of(node)
        if len(out) != 2 or out[0] != out[1] or out[0] < 2:
            return
        if prediction not in ((out[0], 1), (out[0],)) or one.name() in (
            "UnsqueezeBackward0",
            "IndexBackward0",
        ):
            return
        if one.name() == "TBackward0":
            return
        made, _ = graph.source(one, None)
        if made is not None and made.name() in ROWS_OF_LOSS and node.name() == "MulBackward0":
            weights = node._saved_self if left is None else node._saved_other
            crossed = weights is not None and {tuple(weights.shape), prediction} == {(out[0],), (out[0], 1)}
            if crossed and self._leads_to(node):
                self._broadcast(node, (prediction, out), None)
            return
        chosen = made is not None and (
            made.name() == "GatherBackward0"
            or (made.name() in ("SumBackward1", "MeanBackward1") and node.name() == "SubBackward0")
            or (node.name() == "SubBackward0" and _is_scaled(made))
        )
        if made is None or not (chosen or made.name() in PREDICTS):
            return
        if self._leads_to(node):
            self._broadcast(node, (prediction, out), graph.reshaped(one, fewer=len(prediction) < 2))

    def _broadcast(self, node: Any, shapes: tuple[tuple[int, ...], tuple[int, ...]], turned: Any) -> None:
        facts = self.facts
        facts.broadcasts += 1
        facts.broadcast = shapes
        facts.broadcast_at = facts.broadcast_at or self._line(node)
        if turned is not None:
            facts.axis_at = facts.axis_at or self._line(turned)

    def _leads_to(self, node: Any) -> bool:
        """Whether only element-wise operations and reductions lie between a node and the loss."""
        level = [self.root]
        for _ in range(9):
            if node in level:
                return True
            level = [
                f for n in level if n.name() in ON_THE_WAY for f, _ in n.next_functions if f is not None
            ][:32]
        return False


def _behind(node: Any) -> Any:
    """The node behind those that only reshape, or take the one column that there is."""
    while node is not None and node.name() in {*RESHAPES, "SelectBackward0"}:
        node = node.next_functions[0][0]
    return node


def _is_scaled(node: Any) -> bool:
    """Whether a node multiplies by a plain number."""
    scales = node.name() in ("MulBackward0", "DivBackward0")
    return scales and sum(f is not None for f, _ in node.next_functions) == 1 and node._saved_self is None


def _weight(node: Any) -> float:
    """The number that a product was scaled by; 0 where it isn't known."""
    try:
        other = node._saved_other if node._saved_other is not None else node._saved_self
        return abs(float(other)) if other is not None and other.numel() == 1 else 0.0
    except (AttributeError, RuntimeError):
        return 0.0
