"""Trainings by ``torch.autograd.grad``, whose gradients a person subtracts by hand.

A call trains if its root is one number and the leaves that it asks for go against the gradient that it gave,
before anybody asks for theirs again. Penalties, saliency maps and Fisher matrices move nothing; adversarial
rows climb, or other leaves than they are in their graph.
"""

import functools
import math
import weakref
from typing import TYPE_CHECKING, Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.hooks import compiling, unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import depths, graph
from treino.diagnosis.watch.by_hand import keep
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.guards import Guards
from treino.diagnosis.watch.manual import down, even, movement, some
from treino.diagnosis.watch.output import some_of
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import BackwardSeen, LayerSeen, OptimizerSeen, Seen
from treino.diagnosis.watch.where import stack

if TYPE_CHECKING:
    from treino.diagnosis.watch.backward import Backward
    from treino.diagnosis.watch.nets import Nets

LEAVES = 3  # of each call that are followed
IDLE = 10  # calls whose leaves never move
ENOUGH, FRESH = 2, 8  # moves that show a training: of leaves, or of new ones made in their place each time
RARE = 8  # calls for one move, at most
PATIENCE = 64  # calls of a line that moves nothing
MOST = 256  # leaves that are remembered


class Left:
    """A leaf as a call left it."""

    __slots__ = ("grad", "line", "ref", "unseen", "value")

    def __init__(self, p: torch.Tensor, line: "Line", unseen: int) -> None:
        self.ref, self.value, self.line, self.unseen = weakref.ref(p), some(p).clone(), line, unseen
        self.grad: torch.Tensor | None = None

    def moved(self, p: torch.Tensor) -> bool | None:
        """Whether a leaf, or what took its place, has gone against the gradient; None if it is unchanged."""
        now = some(p)
        if self.grad is None or now.shape != self.value.shape or torch.equal(now, self.value):
            return None
        if not bool(torch.isfinite(now).all()):
            return True
        return down(p, self.value, self.grad)


class Line:
    """One line that asks for gradients."""

    def __init__(self, site: Site | None) -> None:
        self.facts = BackwardSeen(site, stack=stack())
        self.steps = OptimizerSeen("by hand", site)
        self.calls = self.moves = 0
        self.trains = self.fresh = self.moving = self.owned = False
        self.other = False  # not all that learns in its graph is asked for
        self.lead: weakref.ref[torch.Tensor] | None = None  # the first leaf that it asked for last
        self.even: list[int] = []  # units of those weights that began as one number each
        self.first: list[Left] = []
        self.newest: list[Left] = []

    @property
    def shown(self) -> bool:
        """Whether it has moved leaves often enough."""
        return self.moves >= (FRESH if self.fresh else ENOUGH) and self.moves * RARE >= self.calls

    def never_moved(self) -> bool:
        """Whether its first leaves are what they were, now or (where their function returned) last seen."""
        for left, newest in zip(self.first, self.newest, strict=False):
            p = left.ref()
            if p is None and (self.calls < PATIENCE or newest.ref is not left.ref):
                return False
            if not torch.equal(some(p) if p is not None else newest.value, left.value):
                return False
        return True

    def movement(self) -> float | None:
        """How far its leaves' first entries have come, as it saw them last."""
        every = zip(self.first, self.newest, strict=False)
        return movement([(n.value, f.value) for f, n in every if n.ref is f.ref])


class Asked:
    """Wraps ``torch.autograd.grad``."""

    def __init__(self, seen: Seen, patches: Patches, gradients: Gradients, backward: "Backward") -> None:
        self.seen, self.patches, self.gradients, self.backward = seen, patches, gradients, backward
        self.nets: Nets | None = None
        self.guards = Guards(seen, patches, gradients, backward)
        self._lines: dict[Site | None, Line] = {}
        self._left: dict[int, Left] = {}
        self._inside = False
        self.unseen = 0  # gradients that may have moved leaves out of our sight: of backward, between windows
        self._places: dict[int, int] = {}  # of leaves that are made anew for each call

    def place(self, p: torch.Tensor) -> int:
        """What a leaf is known by: its id, or a number below zero for all that take one place in turn."""
        return self._places.get(id(p), id(p))

    def install(self) -> None:
        original, patches = torch.autograd.grad, self.patches

        @functools.wraps(original)
        def grad(*args: Any, **kwargs: Any) -> Any:
            if (patches.careful and compiling()) or self._inside or not patches.watching():
                return original(*args, **kwargs)
            if self.backward.running or kwargs.get("create_graph") or len(args) not in (1, 2):
                return original(*args, **kwargs)
            wanted = args[1] if len(args) > 1 else kwargs.get("inputs", ())
            if not isinstance(wanted, (torch.Tensor, dict, list, tuple)):
                wanted = tuple(wanted)
                args, kwargs = (args[0], wanted), {k: v for k, v in kwargs.items() if k != "inputs"}
            patches.on = False
            line = leaves = None
            try:
                leaves = _leaves(wanted)
                line = self._before(args[0], leaves, kwargs)
            except Exception as error:
                patches.defect("grad", error)
            patches.on = True
            self._inside, self.backward.running = True, line is not None and line.trains
            try:
                result = original(*args, **kwargs)
            finally:
                self._inside = self.backward.running = False
            if line is not None:
                patches.on = False
                try:
                    self._after(line, leaves or (), result)
                except Exception as error:
                    patches.defect("grad", error)
                patches.on = True
                lines = self.backward.lines
                lines.begin() if lines.wanted else lines.end()
            return result

        patches.replace(torch.autograd, "grad", unseen(grad))
        self.guards.install()

    # --- before ---------------------------------------------------------------------------------------------
    def _before(self, root: Any, leaves: tuple[torch.Tensor, ...], kwargs: Any) -> Line | None:
        if isinstance(root, (list, tuple)) and len(root) == 1:
            root = root[0]
        if not isinstance(root, torch.Tensor) or root.numel() != 1 or root.grad_fn is None or not leaves:
            return None
        if kwargs.get("grad_outputs") is not None or kwargs.get("is_grads_batched"):
            return None
        site = here()
        line = self._lines.get(site)
        if line is None:
            line = self._lines[site] = Line(site)
        line.calls += 1
        if line.trains and not line.fresh and line.lead is not None and line.lead() is not leaves[0]:
            self._began_anew(line)
        line.lead = weakref.ref(leaves[0])
        if not line.trains and line.calls > PATIENCE and not line.moves * RARE >= line.calls:
            return None
        self.unseen += line.trains and not self.patches.full
        if line.trains and self.patches.quiet and not self._due(line):
            value = root.item()
            if math.isfinite(value):
                line.facts.calls += 1
                keep(line.facts, root, value)
                self.backward.since_step += 1
                self.backward.since_backward = 0
                return line
        if not line.trains and (self._trained_otherwise(leaves) or self._others(line, root, leaves)):
            return None
        if self.patches.full or not line.trains:
            self._compare(line, leaves)
        if line.shown and not line.trains:
            self._confirm(line, leaves)
        if line.trains:
            self.backward.since_step += 1
            self.backward.since_backward = 0
            self._places = {id(p): -1 - i for i, p in enumerate(leaves)} if line.fresh else {}
            self.backward.look(root, site, line.facts, by_hand=not line.owned)
            self.backward.keep_lines()
        else:
            if line.calls == 1:
                line.even = [len(p) for p in leaves if even(p.detach())]
            self._note(root, line.facts)
        return line

    def _due(self, line: Line) -> bool:
        return not (line.facts.calls + 1) & line.facts.calls

    def _trained_otherwise(self, leaves: tuple[torch.Tensor, ...]) -> bool:
        """Whether a backward gives these leaves the gradients that they learn by."""
        for p in leaves[:LEAVES]:
            owner = self.gradients.owner(p)
            if owner.filled if owner is not None else p.grad is not None:
                return True
        return False

    def _others(self, line: Line, root: torch.Tensor, leaves: tuple[torch.Tensor, ...]) -> bool:
        """Whether plain tensors are asked for in a graph where others, used otherwise, learn too: rows,
        latents.
        """
        if line.calls == 1 or line.calls & (line.calls - 1) == 0:
            asked = {id(p) for p in leaves}
            plain = not any(isinstance(p, torch.nn.Parameter) for p in leaves)
            nodes = graph.walk(root.grad_fn)
            roles = {key: role[:2] for key, role in graph.roles(nodes).items()}
            like = {roles.get(key) for key in asked}
            others = [p for p in graph.leaves(nodes) if p.requires_grad and id(p) not in asked]
            line.other = plain and any(roles.get(id(p)) not in like for p in others)
        return line.other

    def _note(self, root: torch.Tensor, facts: BackwardSeen) -> None:
        """A loss of a line that may turn out to train."""
        value = root.item()
        facts.calls += 1
        keep(facts, root, value)
        if not math.isfinite(value) and facts.first_bad is None:
            facts.first_bad, facts.bad_since = facts.calls, self.seen.steps
            self.backward.blame(root.grad_fn, facts)

    def _compare(self, line: Line, leaves: tuple[torch.Tensor, ...]) -> None:
        """What became of these leaves, or of those in whose place they stand, since they were asked for."""
        told: dict[Line, bool] = {}
        moved_by, size = 0.0, 0.0
        for i, p in enumerate(_few(leaves)):
            left = self._left.get(id(p))
            if left is None or left.ref() is not p:
                left = line.newest[i] if i < len(line.newest) else None
                line.fresh = line.fresh or left is not None
            if left is not None and left.unseen != self.unseen:
                left = None
            moved = left.moved(p) if left is not None else None
            if left is not None:
                told[left.line] = told.get(left.line, False) or bool(moved)
                if left.value.shape == some(p).shape:
                    moved_by += float((some(p) - left.value).pow(2).sum())
                    size += float(left.value.pow(2).sum())
        for by, moved in told.items():
            by.moving = moved
            by.moves += moved
            if size > 0 and moved and len(told) == 1:
                by.steps.update_ratio.append(math.sqrt(moved_by / size))
            if moved and by.facts.first_bad is not None and not math.isfinite(by.facts.loss[-1]):
                by.facts.bad_steps += 1
                self.backward.bad_since_step = None

    def _confirm(self, line: Line, leaves: tuple[torch.Tensor, ...]) -> None:
        line.trains = True
        line.owned = any(self.gradients.owner(p) is not None for p in leaves)
        self.backward.adopt(line.facts)
        if not line.owned:
            self.seen.by_hand.append(line.steps)
            if len(line.even) > 1:
                self.seen.layers.append(
                    LayerSeen("tensor", line.facts.site, line.even[0], 0, False, "", line.steps)
                )

    def _began_anew(self, line: Line) -> None:
        """The same line trains other leaves from now on, as with another optimizer."""
        line.newest, line.steps = [], OptimizerSeen("by hand", line.steps.site)
        if not line.owned:
            self.seen.by_hand.append(line.steps)

    # --- after ----------------------------------------------------------------------------------------------
    def _after(self, line: Line, leaves: tuple[torch.Tensor, ...], result: Any) -> None:
        if self.patches.full or not line.trains:
            given = tuple(result.values()) if isinstance(result, dict) else tuple(result)
            line.newest = []
            for p, g in zip(_few(leaves), _few(given), strict=True):
                left = Left(p, line, self.unseen)
                left.grad = some(g).clone() if isinstance(g, torch.Tensor) else None
                line.newest.append(left)
                if line.calls == 1:
                    line.first.append(left)
                if len(self._left) >= MOST:
                    self._left = {key: one for key, one in self._left.items() if one.ref() is not None}
                self._left[id(p)] = left
            if line.trains and not self.seen.optimizers and not line.owned:
                depths.note(self.seen.depth, [*zip(leaves, given, strict=True)])
        if line.trains and not line.owned and line.moving:
            self._stepped(line, leaves)

    def _stepped(self, line: Line, leaves: tuple[torch.Tensor, ...]) -> None:
        """The gradients are about to be subtracted."""
        line.steps.steps += 1
        line.steps.anew = line.fresh
        self.seen.steps += 1
        if self.patches.full:
            by_hand = self.gradients.by_hand
            if len(by_hand) > 4 * MOST:
                by_hand.clear()
            by_hand.update({id(p): (weakref.ref(p), line.steps) for p in leaves})
        if self.nets is not None:
            if self.patches.full:
                self._stand_ins(line, leaves, self.nets)
            self.nets.after_step(line.steps)
        full = self.patches.full
        self.patches.tick(self.seen.steps)
        if self.patches.full and not full:
            self.gradients.forget()

    def _stand_ins(self, line: Line, leaves: tuple[torch.Tensor, ...], nets: "Nets") -> None:
        """A net that was called with these leaves in place of its own learns by them (functional_call)."""
        shapes = {p.shape for p in leaves}
        own = {id(p) for p in leaves}
        for output in nets.unfinished:
            some = [p for p in (r() for r in output.net.some) if p is not None]
            if not some:  # they were stand-ins when it was first called
                module = next((m for m, net in nets.nets.items() if net is output.net), None)
                output.net.some = some_of(module) if module is not None else []
                some = [p for p in (r() for r in output.net.some) if p is not None]
            free = not any(id(p) in own or self.gradients.owner(p) is not None for p in some)
            if free and some and all(p.shape in shapes for p in some):
                self.gradients.by_hand.update({id(p): (weakref.ref(p), line.steps) for p in some})

    def finish(self) -> None:
        """What the last calls moved."""
        for line in self._lines.values():
            if line.first and line.calls >= IDLE and line.never_moved():
                self.seen.idle.append(line.facts)
            if line.calls >= PATIENCE and not line.owned:
                self.seen.manual.movement = line.movement()
            for left in line.newest:
                p, facts = left.ref(), line.facts
                bad = left.unseen == self.unseen and facts.first_bad is not None and not facts.bad_steps
                if bad and p is not None and left.moved(p) and not math.isfinite(facts.loss[-1]):
                    facts.bad_steps += 1
                    self.backward.adopt(facts)


def _leaves(wanted: Any) -> tuple[torch.Tensor, ...]:
    """The tensors that are asked for, if all are leaves that learn; else none."""
    if isinstance(wanted, torch.Tensor):
        wanted = (wanted,)
    given = tuple(wanted.values()) if isinstance(wanted, dict) else tuple(wanted)
    learn = all(
        isinstance(p, torch.Tensor) and p.is_leaf and p.requires_grad and p.layout is torch.strided
        for p in given
    )
    return given if learn else ()


def _few(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first, the middle one and the last."""
    n = len(tensors)
    return tensors if n <= LEAVES else (tensors[0], tensors[n // 2], tensors[-1])
