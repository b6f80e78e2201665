"""Every call of backward: its loss, its graph, and what stays alive after it.

Graphs are read in windows (the first calls of a line, then at powers of two); losses and gradient state
always.
"""

import functools
import math
import weakref
from collections import Counter, deque
from sys import _getframe
from threading import get_ident
from time import perf_counter
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.hooks import compiling, unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import depths, graph
from treino.diagnosis.watch.asked import Asked
from treino.diagnosis.watch.attention import wrong_weights
from treino.diagnosis.watch.by_hand import ByHand, keep
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.lines import STEPS, Lines
from treino.diagnosis.watch.manual import Leaves, Manual, down, movement, some
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import BackwardSeen, ReluSeen, Seen
from treino.diagnosis.watch.spoiled import Spoils, culprit
from treino.diagnosis.watch.where import above, stack

TERMS = 16  # numbers in a tensor that losses are gathered in
FIRST = 6
LEAST_ALIVE = 3
AGAIN, MOST_SIZES = 2, 16  # graphs of one size that are read, and sizes


class Alive:
    """Lies in a graph's metadata for as long as the graph lives."""

    __slots__ = ("__weakref__",)


class Backward:
    """Wraps ``torch.autograd.backward``, through which Tensor.backward and GradScaler pass too."""

    def __init__(self, seen: Seen, patches: Patches, gradients: Gradients, lines: Lines) -> None:
        self.seen, self.patches, self.gradients, self.lines = seen, patches, gradients, lines
        self.running = False  # between the start and the end of a backward that fills .grad
        self.since_step = 0  # backwards since the last step
        self.since_backward = 0  # calls of nets since the last backward
        self.bad_since_step: BackwardSeen | None = None
        self.made: deque[tuple[weakref.ref[torch.Tensor], Site | None]] = deque(maxlen=64)
        self.graph_listeners: list[Any] = []  # called with (site, nodes, leaves)
        self.graph_listeners.append(gradients.left_over.read_graph)
        self.blame_listeners: list[Any] = []  # called with (site, nodes) of the first loss that is NaN
        self.softmax_sites: dict[int, Site | None] = {}
        self.softmax_layers: dict[int, Site | None] = {}
        self._alive: dict[Site | None, deque[weakref.ref[Alive]]] = {}
        self.leaves = Leaves()
        self.by_hand: dict[int, weakref.ref[torch.Tensor]] = {}  # those that were moved down their gradients
        self.turn_listeners: list[Any] = []  # called before a backward where no optimizer was made
        self.moved_listeners: list[Any] = []  # called with the ids of those that were since the last backward
        self._quick: dict[int, BackwardSeen] = {}  # by the site's id
        self._silent = False  # a ReLU of this graph is zero all over
        # Such graphs in a row whose net says the same of all rows.
        self._constant: dict[Site | None, int] = {}
        self._relus: dict[tuple[Site | None, int], deque[torch.Tensor]] = {}
        self._last_node = 0
        self.newest_loss: tuple[float, Site | None] | None = None
        self.newest_root = 0  # of all graphs that were run backward, for a part of their leaves too
        self.asked = Asked(seen, patches, gradients, self)
        self.spoils = Spoils()
        lines.made.append(self.spoils.observe)
        self._relu_at: dict[tuple[Site | None, int], Site | None] = {}

    def install(self) -> None:
        original = torch.autograd.backward
        patches, brief, ident, main = self.patches, self._brief, get_ident, self.patches.thread
        of_tensor = self.lines.plain_backward.__code__

        @functools.wraps(original)
        def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
            if patches.careful and compiling():
                original(tensors, *args, **kwargs)
                return
            if patches.quiet and patches.on and ident() == main:
                try:
                    enough = brief(tensors, kwargs)
                except Exception as error:
                    patches.defect("backward", error)
                    enough = True
                if enough:
                    original(tensors, *args, **kwargs)
                    return
            if not patches.watching() or self.running:
                original(tensors, *args, **kwargs)
                return
            patches.count += 1
            started = 0.0 if patches.count & 15 else perf_counter()
            site = here()
            fills = kwargs.get("inputs") is None
            patches.on = False
            try:
                self._before(tensors, site, fills)
            except Exception as error:
                patches.defect("backward", error)
            patches.on = True
            if started:
                patches.spent += 16 * (perf_counter() - started)
            self.running = fills
            self.since_step += 1
            self.since_backward = 0
            self.asked.unseen += 1
            try:
                original(tensors, *args, **kwargs)
            except RuntimeError as error:
                self._refused(site, error)
                raise
            finally:
                self.running = False
            if patches.full or self.leaves.known or self.lines.wanted:
                started = perf_counter()
                patches.on = False
                try:
                    self._after(tensors, site)
                except Exception as error:
                    patches.defect("backward", error)
                patches.on = True
                patches.spent += perf_counter() - started
            if (self.lines.wanted or self.lines.on) and _getframe(1).f_code is not of_tensor:
                self.lines.over()  # Tensor.backward does so by itself

        patches.replace(torch.autograd, "backward", unseen(backward))
        self.asked.install()
        for owner, name in ((torch, "tensor"), (torch, "as_tensor"), (torch.Tensor, "requires_grad_")):
            patches.after(owner, name, self._leaf_made, always=False)

    def _brief(self, root: Any, kwargs: Any) -> bool:
        """Note a loss between windows; no if there is more to look at."""
        facts = self._quick.get(id(above(_getframe(2).f_back)))  # past the wrap and Tensor.backward
        if (
            facts is None
            or self.lines.wanted
            or self.lines.on
            or type(root) is not torch.Tensor
            or root.dim()
        ):
            return False
        node, calls = root.grad_fn, facts.calls
        if node is None or not calls & (calls + 1) or self.running or kwargs.get("inputs") is not None:
            return False
        value, number = root.item(), node._sequence_nr()
        if value - value != 0:
            return False
        if facts.sizes.get(number - self._last_node, 0) < AGAIN and len(facts.sizes) < MOST_SIZES:
            return False
        self._last_node = self.newest_root = number
        facts.calls += 1
        keep(facts, root, value)
        self.newest_loss = value, facts.site
        self.since_step += 1
        self.since_backward = 0
        self.asked.unseen += 1
        return True

    def _leaf_made(self, result: Any, args: Any, kwargs: Any) -> None:
        if isinstance(result, torch.Tensor) and result.requires_grad:
            self.lines.begin()
            if result.numel() <= TERMS:
                self.made.append((weakref.ref(result), here()))

    def _made_at(self, leaves: list[torch.Tensor]) -> Site | None:
        """Where one of these was made that nothing comes before, if it was made to be run backward."""
        known = ((reference(), place) for reference, place in self.made)
        return next((place for t, place in known if any(t is leaf for leaf in leaves)), None)

    def _refused(self, site: Site | None, error: BaseException) -> None:
        if "does not require grad" in str(error):
            facts = self._facts(site)
            facts.calls += 1
            facts.leaf_roots += 1

    def _facts(self, site: Site | None) -> BackwardSeen:
        facts = self.seen.backwards.get(site)
        if facts is None:
            facts = self.seen.backwards[site] = self._quick[id(site)] = BackwardSeen(site, stack=stack())
            self.lines.want()
        return facts

    def adopt(self, facts: BackwardSeen) -> None:
        """A line that trains, though it doesn't call backward."""
        if facts.site not in self.seen.backwards:
            self.seen.backwards[facts.site] = facts
            self.lines.want()

    def keep_lines(self) -> None:
        """Look at lines as long as one was seen too seldom."""
        if self.lines.wanted:
            self.lines.wanted = any(b.calls < STEPS for b in self.seen.backwards.values())

    def _before(self, tensors: Any, site: Site | None, fills: bool) -> None:
        if self.patches.full:
            self.gradients.backward_site = site
            self.gradients.before_backward()
        for told in self.turn_listeners if fills and not self.seen.optimizers else ():
            told()
        facts = self._facts(site)
        root = tensors if isinstance(tensors, torch.Tensor) else tensors[0] if len(tensors) == 1 else None
        if root is not None and root.grad_fn is not None:
            self.newest_root = root.grad_fn._sequence_nr()
        if root is None or not fills or not root.requires_grad:
            return
        if self.look(root, site, facts) and self.patches.full:
            self._manual_before(site)

    def look(self, root: torch.Tensor, site: Site | None, facts: BackwardSeen, by_hand: bool = False) -> bool:
        """What there is to see of a loss and its graph; no if it has none."""
        facts.calls += 1
        if root.numel() == 1:
            value = root.item()
            keep(facts, root, value)
            self.newest_loss = value, site
            if not math.isfinite(value):
                self.bad_since_step = facts
                if facts.first_bad is None:
                    facts.first_bad, facts.bad_since = facts.calls, self.seen.steps
                    self.blame(root.grad_fn, facts)
        node = root.grad_fn
        if node is None:
            if (
                not isinstance(root, torch.nn.Parameter)
                and self.gradients.owner(root) is None
                and root.numel() == 1
            ):
                facts.leaf_roots += 1
                facts.made_at = self._made_at([root]) or facts.made_at
            return False
        if not self.seen.steps:
            self.patches.tick(facts.calls)
        new = self._is_new(node, facts)
        if self.patches.full:
            self._watch_life(node, site, facts)
        if new or facts.calls <= FIRST or facts.calls & (facts.calls - 1) == 0:
            self._read_graph(node, site, facts, by_hand)
        return True

    def _is_new(self, node: Any, facts: BackwardSeen) -> bool:
        """Whether another number of nodes than ever was made since the last backward: a layer was unfrozen,
        a branch was taken.
        """
        number = node._sequence_nr()
        made, self._last_node = number - self._last_node, number
        known = facts.sizes
        size = known.get(made, 0)
        if size < AGAIN and len(known) < MOST_SIZES:
            known[made] = size + 1
            if not size:
                self.patches.news()
            return True
        return False

    def _watch_life(self, node: Any, site: Site | None, facts: BackwardSeen) -> None:
        alive = self._alive.get(site)
        if alive is None:
            alive = self._alive[site] = deque(maxlen=64)
        mark = node.metadata["treino"] = graph.deepest(node).metadata["treino"] = Alive()
        alive.append(weakref.ref(mark))
        if facts.calls % 2 == 0:
            facts.kept = max(facts.kept, sum(a() is not None for a in alive) - 1)

    # --- the graph ------------------------------------------------------------------------------------------
    def _read_graph(self, root: Any, site: Site | None, facts: BackwardSeen, by_hand: bool) -> None:
        nodes = graph.walk(root)
        self.lines.read(site, nodes)
        leaves = graph.leaves(nodes)
        owner = self.gradients.owner
        if not any(isinstance(p, torch.nn.Parameter) or owner(p) is not None for p in leaves):
            facts.cut_roots += 1
            facts.made_at = self._made_at(leaves) or facts.made_at
        for p in leaves:
            if owner(p) is None and id(p) not in self.leaves.known:
                self.leaves.known[id(p)] = Manual(p)
        relu, self._silent = 0, False
        squashes: list[Any] = []
        for node in nodes:
            name = node.name()
            if name in ("SigmoidBackward0", "TanhBackward0"):
                squashes.append(node)
            passed = graph.rectified(node)
            if passed is not None:
                self._relu(site, relu, node, passed)
                self._relu_at[site, relu] = self.lines.of(site, nodes, node)
                relu += 1
        self._constant[site] = (
            (self._constant.get(site, 0) + 1) if self._silent and graph.constant_inside(root) else 0
        )
        for found in wrong_weights(nodes) if self.patches.full else ():
            self._attention(found, nodes, facts)
        depth = self.seen.depth
        if len(squashes) > 2 and depth.site is None and facts.calls < 8:
            written = Counter(self.lines.of(site, nodes, node) for node in squashes)
            depth.site = max(written, key=lambda place: (place is not None, written[place]))
        depth.saturating = max(depth.saturating, len(squashes))
        ByHand(facts, self.lines, root, nodes).read()
        for listener in () if by_hand and self.seen.optimizers else self.graph_listeners:
            listener(site, nodes, leaves)

    def _relu(self, site: Site | None, place: int, node: Any, out: torch.Tensor) -> None:
        if out.dim() < 2 or out.shape[0] < 2:
            return
        before = node.next_functions[0][0]
        axis = 1 if out.dim() in (4, 5) or graph.convolves(before) else out.dim() - 1
        active = (out.detach() > 0).transpose(0, axis).flatten(1).any(1)
        windows = self._relus.setdefault((site, place), deque(maxlen=3))
        if windows and windows[-1].shape != active.shape:
            windows.clear()
        windows.append(active)
        self._silent = self._silent or not bool(active.any())

    def blame(self, root: Any, facts: BackwardSeen) -> None:
        """The operation that made a loss NaN or infinite, and its line."""
        if root is None:
            return
        earlier = [abs(v) for v in facts.loss[:-1]]
        nodes = graph.walk(root)
        for listener in self.blame_listeners:
            listener(facts.site, nodes)
        steep = bool(earlier) and max(earlier) <= 10 * earlier[0]
        facts.bad_operation, node = culprit(root, nodes, steep=steep)
        if node is not None:
            facts.bad_at = self.lines.of(facts.site, nodes, node)
        elif not facts.bad_operation:
            facts.bad_operation, facts.bad_at = self.spoils.take()

    def _attention(self, found: tuple[Any, int, int], nodes: list[Any], facts: BackwardSeen) -> None:
        number = found[0]._sequence_nr()
        made = self.softmax_layers.get(number) or self.softmax_sites.get(number)
        facts.attention[made or self.lines.of(facts.site, nodes, found[0])] += 1
        facts.attention_dims = found[1:]

    # --- leaves that are trained by hand --------------------------------------------------------------
    def _manual_before(self, site: Site | None) -> None:
        gone = []
        moved: set[int] = set()
        steps = sizes = 0.0
        changed = tainted = False
        spoiled = self.bad_since_step
        if spoiled is not None and self.leaves.known and not self.seen.optimizers:
            spoiled.bad_steps += 1
            self.bad_since_step = spoiled = None
        for key, m in self.leaves.known.items():
            p = m.ref()
            if p is not None and spoiled is not None and not bool(torch.isfinite(p.detach().sum())):
                spoiled.bad_steps += 1
                self.bad_since_step = spoiled = None
            if p is None or self.gradients.owner(p) is not None:
                gone.append(key)
                continue
            if m.value is not None and m.slope is not None and down(p, m.value, m.slope):
                self.by_hand[key] = m.ref
                m.moves += 1
                moved.add(key)
                if bool(m.first.any()):  # a share of zeros says nothing
                    steps += float((some(p) - m.value).pow(2).sum())
                    sizes += float(m.value.pow(2).sum())
            g = p.grad
            if m.grad is None or g is None or m.grad[0]() is not g or m.grad[1] != g._version:
                m.tainted = False
                continue
            if not bool(g.detach().any()):
                m.tainted = False
                continue
            if m.value is not None and down(p, m.value, g):
                changed = True
                if m.tainted:
                    tainted = True
                m.tainted = True
        for key in gone:
            del self.leaves.known[key]
        for listener in self.moved_listeners:
            listener(moved)
        manual = self.seen.manual
        if sizes > 0:
            manual.update_ratio.append(math.sqrt(steps / sizes))
        manual.updates += changed
        manual.tainted_updates += tainted
        if tainted:
            manual.tainted_at = site

    def _after(self, tensors: Any, site: Site | None) -> None:
        if self.patches.full:
            self.gradients.after_backward(site)
        self.spoils.found = None
        self.keep_lines()
        for m in self.leaves.known.values():
            p = m.ref()
            if p is None:
                continue
            g = p.grad
            m.grad = None if g is None else (weakref.ref(g), g._version)
            m.value = some(p).clone() if self.patches.full else None
            m.slope = some(g).clone() if self.patches.full and g is not None and not g.is_sparse else None
            m.last = m.value if m.value is not None else m.last
            if self.patches.full and g is not None:
                m.look(p, g)
        if self.patches.full and self.leaves.known and not self.seen.optimizers:
            # A graph is read from its end: the last weights come first.
            held = [p for m in reversed(self.leaves.known.values()) if (p := m.ref()) is not None]
            depths.note(self.seen.depth, [(p, p.grad) for p in held])

    def after_step(self) -> None:
        """An optimizer stepped: was it on a loss that is not finite?"""
        if self.bad_since_step is not None:
            self.bad_since_step.bad_steps += 1
            self.bad_since_step = None

    def finish(self) -> None:
        """Tables for the rules."""
        self.asked.finish()
        self.seen.manual.idle = sum(m.never_moved() for m in self.leaves.known.values())
        held = [(now, m.first) for m in self.leaves.known.values() if (now := m.now()) is not None]
        share = movement(held)
        if share is not None:
            self.seen.manual.movement = share
        for site, alive in self._alive.items():
            facts = self.seen.backwards[site]
            if facts.calls >= LEAST_ALIVE:
                facts.kept = max(facts.kept, sum(a() is not None for a in alive) - 1)
        for (site, place), windows in self._relus.items():
            active = torch.stack(tuple(windows)).any(0)
            dead, at = int((~active).sum()), self._relu_at.get((site, place))
            constant = self._constant.get(site, 0) >= len(windows)
            self.seen.relus.append(ReluSeen(place, active.numel(), dead, len(windows), site, at, constant))
