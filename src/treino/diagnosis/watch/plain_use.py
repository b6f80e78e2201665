"""What becomes of what a net of plain tensors says: graphs that nobody uses, values that dropout takes away.

No module is called, so that nothing tells an evaluation from a training beforehand. Rows that are multiplied
with weights begin such a net; a backward that goes through that product, before or after somebody judged what
came of it, is a training. The same tells of numbers that are read of modules' own methods.
"""

import sys
import weakref
from types import FrameType
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.dropout_flags import always_on, makes_mask, on_purpose
from treino.diagnosis.record.lines import here, is_own
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.dropouts import OFTEN
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.output import Output
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.plain import Plain, meets_rows
from treino.diagnosis.watch.seen import CallSeen, NetSeen, Seen
from treino.diagnosis.watch.where import locals_of, stack

PATIENCE = 8  # backwards after which none is expected any more
MOST = 400  # nodes of a graph that are walked through
OPEN = 256  # graphs that are waited for
SEEN = "treino: judged"  # in a node's metadata
ENOUGH = 32  # judged outputs of a line that say what it does
MOST_ROWS = 4096  # evaluations
Key = tuple[int, tuple[int, ...], float]  # backwards before it, shape and sum of some rows


class Use:
    """One value that somebody judged, and whose graph lives."""

    __slots__ = ("call", "leaves", "outputs", "reached", "rows", "turn", "via")

    def __init__(self, call: CallSeen, rows: int, leaves: list[torch.Tensor], turn: int) -> None:
        self.call, self.rows, self.leaves, self.turn = call, rows, leaves, turn
        self.outputs: list[Output] = []  # of modules that it comes from
        self.via: tuple[Site, ...] = ()
        self.reached = False

    def told(self) -> bool:
        """Whether an output of a module that it comes from is a target, or let go."""
        return any(o.target or o.let_go for o in self.outputs)

    def __call__(self, grads: Any) -> None:
        """As a prehook of the product that the rows went into."""
        self.reached = True


class PlainUse:
    """Told of numbers that are read and, once there is a net of plain tensors, of all that is judged and
    that is no module's output.
    """

    def __init__(self, seen: Seen, patches: Patches, nets: Nets, plain: Plain) -> None:
        self.seen, self.patches, self.nets, self.plain = seen, patches, nets, plain
        self.net = NetSeen("", None, False)
        self._calls: dict[Site | None, CallSeen] = {}
        self._open: list[Use] = []
        self._looking: Output | None = None  # the newest rows that met weights without a graph
        self._dropped: Site | None = None  # where some of what came of them was dropped since
        self._same: dict[Key, int] = {}  # how often the same rows, within a turn
        self._key: Key = (0, (), 0.0)  # the newest of these
        self._lost: list[tuple[CallSeen, Key, Site]] = []  # judged answers to them of which some was dropped
        self._mask: weakref.ref[torch.Tensor] | None = None  # the newest draw, compared to make a mask of it
        self._masks: dict[Site, bool] = {}  # whether a line draws what to drop
        self._drops: dict[Site, bool] = {}  # whether a line's dropout is never told to stop
        plain.found_listeners.append(self._found)

    def install(self) -> None:
        """Put the wraps on."""
        for name in ("item", "__float__", "__format__", "__repr__"):
            self.patches.after(torch.Tensor, name, self._number)
        for name in ("detach", "tolist"):
            self.patches.after(torch.Tensor, name, self._taken)

    def _found(self) -> None:
        self.plain.product_listeners.append(self._looked)
        self.nets.judging.others.append(self._judged)
        self.nets.dropouts.others.append(self._dropping)
        for name in ("rand_like", "rand", "bernoulli"):
            self.patches.after(torch, name, self._drawn)

    def _turn(self) -> int:
        return sum(b.calls for b in self.seen.backwards.values())

    def _call(self, site: Site | None) -> CallSeen:
        call = self._calls.get(site)
        if call is None:
            call = self._calls[site] = CallSeen(self.net, site)
            self.seen.calls.append(call)
        return call

    # --- graphs ---------------------------------------------------------------------------------------------
    def _number(self, result: Any, args: Any, kwargs: Any) -> None:
        """Somebody reads a number: that of a module's method, too, where it is no output that is followed."""
        node = args[0].grad_fn
        if node is not None and node._sequence_nr() != self.nets.backward.newest_root and self._turn() > 1:
            self._graph(args[0])

    def _taken(self, result: Any, args: Any, kwargs: Any) -> None:
        """``loss.detach()`` on its way to a number, ``loss.detach().numpy()``."""
        if args[0].numel() == 1:
            self._number(result, args, kwargs)

    def _judged(self, t: torch.Tensor) -> None:
        if t.grad_fn is not None:
            self._graph(t)
        elif self._dropped is not None and (self._mask is None or self._mask() is not t):
            self._without(t)

    def _graph(self, t: torch.Tensor) -> None:
        """Somebody looks at a value whose graph is there: has it trained, or will it?"""
        led = _handed(t)
        call = self._call(led[0] if led else None)
        call.calls += 1
        if call.graph_unused >= ENOUGH or (call.trained >= ENOUGH and call.calls & 15):
            return
        nodes = graph.walk(t.grad_fn, MOST)
        products = [n for n in nodes if meets_rows(n)]
        if any(SEEN in n.metadata for n in products):
            return
        leaves = [p for n in products for p in _weights(n)]
        if not leaves or any(map(_freed, products)):
            call.trained += bool(products)
            return
        turn = self._turn()
        use = Use(call, graph.shape_of(products[0])[0], leaves, turn)
        use.via = led
        known = {o.seq: o for o in self.nets.outputs.newest if o.seq >= 0}
        use.outputs = [known[n] for n in map(_number_of, nodes) if n in known]
        if led and use.outputs:  # the line of the same function that led to the net
            names = {(s.file, s.function) for s in led[:1]}
            ways = [s for o in use.outputs for s in o.via if (s.file, s.function) in names]
            own = [o.call.site for o in use.outputs if o.call.site is not None and not o.reached]
            far = own[:1] if own and own[0].function not in {s.function for s in led[:1]} else []
            use.call = self._call(next(iter(ways or far), call.site))
        for node in (*products, t.grad_fn):
            node.metadata[SEEN] = True
            node.register_prehook(use)
        self._open.append(use)
        if self._open[0].turn + PATIENCE < turn or len(self._open) > OPEN:
            self._settle(turn - PATIENCE)

    def _settle(self, before: int) -> None:
        """What was judged before this turn is old enough to say what it was for."""
        for use in self._open:
            call = use.call
            if use.reached:
                call.trained += 1
            elif use.turn < before and not use.told() and self._learn(use.leaves):
                call.judged += 1
                call.unused_in_eval += bool(use.outputs) and not any(o.training for o in use.outputs)
                call.graph_unused += 1
                call.graph_rows += use.rows
                call.unused_at.add(use.turn)
                call.unused_by = call.unused_by or use.via
        self._open = [u for u in self._open if not u.reached and u.turn >= before]

    def _learn(self, leaves: list[torch.Tensor]) -> bool:
        """Whether these weights are trained: by an optimizer, or by hand."""
        gradients, by_hand = self.nets.gradients, self.nets.backward.by_hand
        for p in leaves:
            known, asked, facts = by_hand.get(id(p)), gradients.by_hand.get(id(p)), gradients.owner(p)
            moved = known is not None and known() is p
            moved = moved or (asked is not None and asked[0]() is p and asked[1].steps >= 2)
            if moved or (facts is not None and facts.steps >= 2 and facts.filled >= 2):
                self.net.trained = max(self.net.trained, 2)
                return True
        return False

    # --- dropout --------------------------------------------------------------------------------------------
    def _looked(self, output: Output, x: torch.Tensor, leaf: torch.Tensor) -> None:
        """Rows met weights; without a graph, to be looked at."""
        self._dropped = None
        self._looking = None if output.grad else output
        if self._looking is not None and self._learn([leaf]):
            key = self._turn(), tuple(x.shape), float(x.detach().double().sum())
            if len(self._same) < MOST_ROWS:
                self._same[key] = self._same.get(key, 0) + 1
            self._key = key
        else:
            self._looking = None

    def _dropping(self, result: Any, site: Site, told: bool) -> None:
        """A function drops values; told: it was given its mode."""
        looking = self._looking
        if looking is None or torch.is_grad_enabled() or not result.dim() or len(result) != looking.rows:
            return
        if site not in self._drops:
            self._drops[site] = not told or always_on(site)
        if not on_purpose(site):
            self._dropped = site

    def _drawn(self, result: Any, args: Any, kwargs: Any) -> None:
        """Numbers that are compared with a share: a dropout of one's own."""
        looking, site = self._looking, here()
        if looking is None or site is None or result.dim() != 2 or len(result) != looking.rows:
            return
        if site not in self._masks:
            self._masks[site] = makes_mask(site)
        if self._masks[site]:
            self._dropping(result, site, True)
            self._mask = weakref.ref(result)

    def _without(self, t: torch.Tensor) -> None:
        """What is judged came of rows of which dropout took something away."""
        looking, site, self._dropped = self._looking, self._dropped, None
        if looking is None or site is None or not t.dim() or looking.rows not in (len(t), t.numel()):
            return
        call = self._call(looking.call.site)
        call.judged_by = (call.site,) if call.site is not None else ()
        if len(self._lost) < MOST_ROWS:
            self._lost.append((call, self._key, site))

    def finish(self) -> None:
        """Settle what is left; several answers to the same rows are Monte Carlo."""
        self._settle(self._turn() + 1)
        purpose = {call.site for call, key, _ in self._lost if self._same.get(key, OFTEN) >= OFTEN}
        for call, _, site in self._lost:
            if call.site not in purpose:
                self.net.modal_kinds = ("F.dropout",)
                call.judged += 1
                call.judged_in_train_mode += 1
                self.net.drops_at = site if self._drops[site] else self.net.drops_at


def _handed(t: torch.Tensor) -> tuple[Site, ...]:
    """The own lines that led here, from the one on that made this value or got it by a call: a function that
    was given it (``accuracy(logits, labels)``) says nothing of where it is used.
    """
    own, at = stack(), 0
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and at < len(own) - 1:
        code = frame.f_code
        if is_own(code.co_filename):
            held = locals_of(frame)
            given = (held.get(name) for name in code.co_varnames[: code.co_argcount])
            if not any(one is t or (isinstance(one, torch.Tensor) and one is t._base) for one in given):
                break
            at += 1
        frame = frame.f_back
    return own[at:]


def _number_of(node: Any) -> int:
    return int(node._sequence_nr())


def _weights(node: Any) -> list[torch.Tensor]:
    """The leaves that rows are multiplied with, or whose view or transpose they are."""
    found = []
    for following, _ in node.next_functions:
        made, _ = graph.source(following, None) if following is not None else (None, None)
        if made is not None and hasattr(made, "variable"):
            found.append(made.variable)
    return found


def _freed(node: Any) -> bool:
    """Whether a backward has gone through this product."""
    try:
        getattr(node, graph.PRODUCTS[node.name()][0])
    except RuntimeError:
        return True
    return False
