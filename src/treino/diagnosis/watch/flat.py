"""Steps whose slope is zero everywhere (rounding, signs, draws of zeros and ones), and what they hide."""

import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.functional import cosine_similarity

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.lines import Lines
from treino.diagnosis.watch.seen import CutSeen, OptimizerSeen

FLAT = {
    "RoundBackward0": "round",
    "RoundBackward1": "round",
    "SignBackward0": "sign",
    "SgnBackward0": "sign",
    "FloorBackward0": "floor",
    "CeilBackward0": "ceil",
    "TruncBackward0": "trunc",
    "BernoulliBackward0": "bernoulli",
    "BernoulliBackward2": "bernoulli",
    "PoissonBackward0": "poisson",
}
SAMPLE = 64
STEPS = 3
PARALLEL = 1 - 1e-6


class Behind:
    """A parameter that a loss depends on through such a step alone."""

    __slots__ = ("first", "key", "last", "owner", "ref")

    def __init__(self, p: torch.Tensor, owner: OptimizerSeen) -> None:
        self.ref, self.key, self.owner = weakref.ref(p), id(p), owner
        self.look(p)
        self.first = self.last

    def look(self, p: torch.Tensor) -> None:
        """The function that holds it may return before the end."""
        self.last = p.detach().flatten()[:SAMPLE].clone()

    def moved(self) -> bool:
        """Whether it has moved, but by a decay, which leaves the direction."""
        if torch.equal(self.last, self.first):
            return False
        return not self.owner.weight_decay or float(cosine_similarity(self.last, self.first, 0)) < PARALLEL


class Flat:
    """Told of each graph that is read. A straight-through estimator leads around the step, or detaches it."""

    def __init__(self, gradients: Gradients, lines: Lines) -> None:
        self.gradients, self.lines = gradients, lines
        self._behind: dict[tuple[Site | None, str], dict[int, Behind]] = {}
        self._graphs: dict[tuple[Site | None, str], int] = {}
        self._reached: set[int] = set()  # ids of parameters that some gradient may come to

    def read_graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        """A graph is run backward."""
        flat = [n for n in nodes if _how(n)]
        if not flat:
            self._reached.update(map(id, leaves))
            return
        reached = {id(p) for p in graph.leaves(_open(nodes[0], len(nodes)))}
        self._reached |= reached
        for node in flat:
            key = self.lines.of(site, nodes, node), _how(node)
            known = self._behind.setdefault(key, {})
            self._graphs[key] = self._graphs.get(key, 0) + 1
            for p in graph.leaves(graph.walk(node)):
                owner = self.gradients.owner(p) if id(p) not in reached else None
                if id(p) in known:
                    known[id(p)].look(p)
                elif owner is not None:
                    known[id(p)] = Behind(p, owner)

    def cuts(self) -> Iterator[CutSeen]:
        """The lines of such steps behind which an optimizer's parameters have never learned."""
        for (line, how), behind in self._behind.items():
            owners = [o for b in behind.values() if (o := self._unlearned(b)) is not None]
            calls = self._graphs[line, how]
            if line is not None and owners and calls >= STEPS:
                yield CutSeen((line,), how, calls, len(owners), len(behind), calls, owners[0])

    def _unlearned(self, b: Behind) -> OptimizerSeen | None:
        """The optimizer that steps without ever moving a parameter, but by its decay."""
        p, owner = b.ref(), b.owner
        if b.key in self._reached or owner.steps < STEPS:
            return None
        if p is None:
            return None if b.moved() else owner
        still = owner.weight_decay > 0 or torch.equal(p.detach().flatten()[:SAMPLE], b.first)
        empty = p.grad is None or not bool(p.grad.detach().any())
        return owner if still and empty and p.requires_grad else None


def _how(node: Any) -> str:
    """What kind of such a step a node is; empty for any other."""
    name = node.name()
    if name == "SgnBackward0" and node._saved_self.is_complex():
        return ""
    if name in FLAT:
        return FLAT[name]
    return "div" if name in ("DivBackward2", "DivBackward3") and node._saved_rounding_mode else ""


def _open(root: Any, limit: int) -> list[Any]:
    """The nodes that a gradient comes to without being zero by such a step."""
    found: list[Any] = []
    todo, seen = [root], {root}
    while todo and len(found) < limit:
        node = todo.pop()
        if _how(node):
            continue
        found.append(node)
        following = {f for f, _ in node.next_functions if f is not None} - seen
        seen |= following
        todo += following
    return found
