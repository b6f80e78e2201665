"""Record gradients: backward writes them, the program clears them, optimizers step with them."""

import functools
import math
import weakref
from array import array
from collections.abc import Callable, Iterable
from itertools import pairwise
from math import isfinite
from threading import get_ident
from typing import Any

import torch
from torch._C import _len_torch_function_stack as modes
from torch.optim.optimizer import Optimizer

from treino_doctor.finding import Site
from treino_doctor.record import log, measures, torch_versions
from treino_doctor.record.clearing import Clearing
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import here, maker, stack, unseen
from treino_doctor.record.losses import losses_behind
from treino_doctor.record.manual_training import ManualTraining, ManualTrainings
from treino_doctor.record.marks import Marks
from treino_doctor.record.nonfinite import Finiteness
from treino_doctor.record.observer import FirstOnes, Observer, Recording
from treino_doctor.record.torch_versions import without_torch_function
from treino_doctor.record.values import NOBODY, snapshot

ADAPTIVE = ("Adam", "RMSprop", "Rprop", "Adadelta", "Adafactor", "Lion", "Muon", "LAMB", "NAdam")
SHORT = 12  # losses; a course up to this long is not ended by gradients of another optimizer
LOGGED = 128  # this many optimizers are logged when made; later ones, when a window records them
PENDING = 1024  # losses kept as tensors of an accelerator, until all are fetched together
FURTHER = 1.2  # weight movement is measured again after this multiple of the steps at the last measurement
AfterStep = Callable[[int], None] | None


class OptimizerRecord:
    """The record of one optimizer, or of a training by hand."""

    def __init__(self, number: int, optimizer: Any) -> None:
        self.number = number
        self.site: Site | None = None  # where the optimizer was made
        self.ref, self.key = weakref.ref(optimizer), id(optimizer)
        self.steps = self.filled = self.measured = 0
        self.used: set[int] = set()  # parameters whose gradients a step has used, not cleared since
        self.written: set[int] = set()  # parameters whose gradients a backward wrote since the last step
        self.left: dict[int, int] = {}  # id of a parameter -> id of the gradient that backward left
        self.taken: tuple[int, set[tuple[int, int, int]]] = -1, set()  # the newest step's turn, its gradients
        self.summed = self.moved = self.logged = self.onward = False
        self.movement = math.nan
        self.before: list[torch.Tensor] | None = None
        self.numbers: set[int] = set()  # numbers of its parameters, once it is logged

    def parameters(self) -> list[torch.Tensor]:
        """The optimizer's current parameters."""
        optimizer = self.ref()
        return [p for g in optimizer.param_groups for p in g["params"]] if optimizer is not None else []

    def gradients(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return (parameter, gradient) of each parameter with a gradient."""
        grads = getattr(self.ref(), "autograd_grads", {})
        every = ((p, grads.get(id(p), p.grad)) for p in self.parameters())
        return [(p, g) for p, g in every if g is not None and g.layout == torch.strided]


class Losses:
    """The losses that one line ran backward in one training, in order. turn: that of the first. filled: first
    parameters of the optimizers that got gradients from these losses. ends: where an optimizer of other
    parameters was made since the newest loss that was watched -> the turn."""

    def __init__(self, turn: int = 0, values: Iterable[float] = ()) -> None:
        self.turn, self.filled, self.ends = turn, set[int](), dict[int, int]()
        self.values = array("d", values)
        self._pending: list[torch.Tensor] = []

    def add(self, value: float | torch.Tensor) -> None:
        """Add a loss; a tensor is fetched later."""
        if isinstance(value, torch.Tensor):
            self._pending.append(value)
            if len(self._pending) >= PENDING:
                self.fetch()
            return
        if self._pending:
            self.fetch()
        self.values.append(value)

    def fetch(self) -> None:
        """Fetch the numbers of the tensors."""
        self.values.extend(float(value) for value in self._pending)
        self._pending.clear()


class Gradients(Observer):
    """Watches optimizers, backwards and steps. steps: the number of steps of all optimizers. shift: called to
    open or close the window. after: called with ``steps``, after each."""

    def __init__(
        self, of: Recording, marks: Marks, finiteness: Finiteness, shift: Callable[[], None], after: AfterStep
    ) -> None:
        super().__init__(of)
        self._marks, self._finiteness, self._ran, self._reached = marks, finiteness, of.ran, of.reached
        self.steps, self.inside = 0, False  # inside: whether a backward is running
        self.shift, self._after = shift, after
        self.makers: list[Callable[[int], None]] = []  # called with the number of each new optimizer
        self.unowned: Callable[[torch.Tensor, tuple[int, ...]], tuple[int, ...]] | None = None
        """Callable: returns parameters that a value reaches and that none of the filled optimizers holds."""
        self.clearing = Clearing(of)
        self.hands = ManualTrainings(of, self)
        self.held: dict[int, OptimizerRecord] = {}
        self._optimizers = self._count = 0
        self._crowd = LOGGED  # with more records, those of optimizers that no longer exist are ended
        self._left: dict[Any, list[tuple[int, int]]] = {}  # (optimizers' line, weight) -> weights at the end
        self._numbers: dict[int, tuple[Ref[torch.Tensor], int]] = {}
        self._starts: dict[int, tuple[Ref[torch.Tensor], torch.Tensor, float]] = {}
        self._whole = FirstOnes()
        self._courses: dict[Site | None, list[Losses]] = {}  # line -> its courses, newest last
        self._course = Losses(0)  # of the newest line
        self._looking: Any = None
        self.counting: Any = None

    def install(self) -> None:
        self.hands.install()
        self._hooks.observe(Optimizer, "__init__", after=self._made)
        self._hooks.observe(Optimizer, "add_param_group", after=self._group)
        # Tensor.backward calls this function, too.
        self._hooks.replace(torch.autograd, "backward", self._around(torch.autograd.backward))
        torch_versions.let_steps_be_hooked(self._hooks.replace)
        self.counting = torch_versions.register_step_post_hook(self._after_step)

    def open(self) -> None:
        """The window opens: forget gradients, as steps and clearings between windows aren't recorded."""
        self._end_gone()
        self.windows.since = self.windows.turn
        for held in self.held.values():
            held.used, held.written, held.summed = set(), set(), False
            if not held.logged and (optimizer := held.ref()) is not None:
                self._tell_made(held, optimizer, held.site)
        self._looking = self._looking or torch_versions.register_step_pre_hook(self._before_step)

    def close(self) -> None:
        """The window closes."""
        if self._looking is not None:
            self._looking.remove()
            self._looking = None

    def number(self, parameter: torch.Tensor) -> int:
        """Return the number of a parameter. A new parameter is logged, and its first values are sampled."""
        if known := self.known(parameter):
            return known
        self._count += 1
        self._numbers[id(parameter)] = Ref(parameter), self._count
        if torch.nn.parameter.is_lazy(parameter) or parameter.is_meta:
            return self._count
        some = measures.sampled(parameter)
        self._starts[self._count] = Ref(parameter), some, measures.norm(some)
        self._log.tell(log.ParameterSeen, parameter=self._count, shape=tuple(parameter.shape))
        return self._count

    def known(self, parameter: torch.Tensor) -> int:
        """Return the number of a parameter, 0 if it has none."""
        entry = self._numbers.get(id(parameter))
        return entry[1] if entry is not None and entry[0]() is parameter else 0

    def _made(self, result: Any, args: Any, kwargs: Any) -> None:
        self.hands.drop()
        first = {self.known(p) for p in self.hold(args[0], maker(args[0])).parameters()[:1]}
        for *_, newest in self._courses.values():
            newest.fetch()
            long = len(newest.values) > SHORT + max(newest.ends, default=0)
            if long and first.isdisjoint(newest.filled) and len(newest.ends) < LOGGED:
                newest.ends[len(newest.values)] = self.windows.turn

    def _group(self, result: Any, args: Any, kwargs: Any) -> None:
        if self.held_by(args[0]) is not None:
            self.hold(args[0], here())

    def held_by(self, optimizer: Any) -> OptimizerRecord | None:
        """The record of an optimizer."""
        known = self.held.get(id(optimizer))
        return known if known is not None and known.ref() is optimizer else None

    def hold(self, optimizer: Optimizer, site: Site | None) -> OptimizerRecord:
        """Return the record of an optimizer that is new or has a new group, and log it."""
        if (held := self.held_by(optimizer)) is None:
            if (gone := self.held.pop(id(optimizer), None)) is not None:
                self._end(gone)
            if len(self.held) >= self._crowd:
                self._end_gone()
            held = self.held[id(optimizer)] = OptimizerRecord(self._optimizers, optimizer)
            self._optimizers += 1
            held.site = site
        if held.logged or held.number < LOGGED or self.windows.open:
            self._tell_made(held, optimizer, site)
        return held

    def _tell_made(self, held: OptimizerRecord, optimizer: Any, site: Site | None) -> None:
        held.logged = True
        kind = str(getattr(optimizer, "kind", "") or type(optimizer).__name__)
        groups: list[log.Group] = []
        for g in optimizer.param_groups:
            lr, decay = measures.number_of(g.get("lr")), measures.number_of(g.get("weight_decay", 0.0))
            groups.append(log.Group(lr, decay, tuple(self.number(p) for p in g["params"])))
            held.numbers.update(groups[-1].parameters)
        adaptive = kind.startswith(ADAPTIVE) or any("betas" in g for g in optimizer.param_groups)
        made = {"kind": kind, "site": site, "adaptive": adaptive, "groups": (*groups,)}
        self._log.tell(log.OptimizerMade, optimizer=held.number, **made)
        self.windows.anew()
        for observe in self.makers:
            observe(held.number)

    def _end_gone(self) -> None:
        """Log the ends of optimizers that no longer exist, and forget them and parameters like them."""
        for held in [held for held in self.held.values() if held.ref() is None]:
            self._end(self.held.pop(held.key))
        self._crowd = max(LOGGED, 2 * len(self.held))
        self._numbers = {key: known for key, known in self._numbers.items() if known[0]() is not None}
        self._starts = {key: start for key, start in self._starts.items() if start[0]() is not None}

    def _around(self, original: Any) -> Any:
        """Wrap backward."""
        gradients, hooks, windows, hands = self, self._hooks, self.windows, self.hands

        @functools.wraps(original)
        def backward(*args: Any, **kwargs: Any) -> Any:
            if not hooks.on or gradients.inside or get_ident() != hooks.thread:
                return original(*args, **kwargs)  # compilers and transforms run no backward
            root = args[0] if args else kwargs.get("tensors")
            start = gradients.begin("backward", root)
            gradients.inside = True  # re-entrant checkpoints run further ones inside
            try:
                result = original(*args, **kwargs)
            finally:
                gradients.inside = False
            if start is not None:
                hooks.quietly("backward", gradients.after, root, start)
            if windows.tick():
                gradients.shift()
            hands.unseen = bool(hands.every) and (start is None or not windows.open)
            return result

        return unseen(backward)

    def begin(self, name: str, root: Any) -> Any:
        """Keep the value that is run backward. Inside a window, return the state before the backward."""
        start = None
        if self.windows.open:
            start = self._hooks.quietly(name, self.before, root)
        elif self.hands.every or len(self._courses) > 1:  # losses of several lines may take turns
            self._course = self._course_of(here())
            self.hands.passed()
        self.keep(root)
        return start

    def keep(self, root: Any) -> None:
        """Keep the value that is run backward; on an accelerator, keep its tensor, to avoid synchronizing."""
        value: Any
        try:
            if type(root) is torch.Tensor and root.is_cpu and not modes():  # the usual case, and a fast one
                value = root.item()
            else:
                with without_torch_function():
                    if not isinstance(root, torch.Tensor) or root.numel() != 1 or root.is_meta:
                        return
                    value = root.item() if root.is_cpu or self.windows.open else root.detach()
        except (RuntimeError, ValueError):
            return  # several numbers, or none, as in a fake tensor
        if isinstance(value, complex):
            return
        if isinstance(value, float) and not isfinite(value):
            self._hooks.quietly("backward", self._finiteness.tell, root)
        self._course.add(value)
        self._marks.keep(root)

    def _course_of(self, place: Site | None) -> Losses:
        """The current course of the losses that a line runs backward."""
        if (courses := self._courses.get(place)) is None:
            courses = self._courses[place] = [Losses(self.windows.turn)]
        return courses[-1]

    def _filled(self, place: Site | None, filled: list[int]) -> None:
        """Begin another course if a line trains what none of its losses trained before, as in a function
        that is called for one net after the other; and others for the nets between, by their optimizers."""
        course = self._course
        own = {self.known(p) for h in self.held.values() if h.number in filled for p in h.parameters()[:1]}
        if course.filled and own and course.filled.isdisjoint(own) and len(course.values) > SHORT:
            ends = course.ends or {len(course.values) - 1: self.windows.turn}
            parts = zip(ends.values(), pairwise([*ends, None]), strict=True)
            self._courses[place] += [Losses(turn, course.values[a:b]) for turn, (a, b) in parts]
            del course.values[min(ends) :]
            self._course = self._courses[place][-1]
        self._course.ends.clear()
        self._course.filled.update(own)

    def before(self, root: Any) -> Any:
        """Return the state of all gradients before a backward, and the root value's record."""
        place = here()
        self._tell_reached()
        self._course = self._course_of(place)
        self.hands.settle()
        self.clearing.look(self.held.values())
        root = root[0] if isinstance(root, (list, tuple)) and root else root
        summed = []
        before: dict[int, int] = {}
        for held in self.held.values():
            held.used = {id(p) for p in held.parameters() if id(p) in held.used and measures.is_there(p)}
            if held.used:
                summed.append(held.number)
            else:
                held.summed = False  # the gradients of another net's loss were cleared in time
            for p in held.parameters():
                before[id(p)] = p.grad._version if p.grad is not None else -1
        node = self._values.of(root) if isinstance(root, torch.Tensor) else None
        leaf = isinstance(root, torch.Tensor) and root.grad_fn is None
        return place, stack(), node, "leaf" if leaf else "graph", tuple(summed), before

    def _tell_reached(self) -> None:
        """Log the calls whose answers a gradient came back to while no backward was recorded."""
        if self._reached:
            self._log.tell(log.Reached, forwards=tuple(sorted(self._reached)))
            self._reached.clear()

    def after(self, root: Any, start: Any, inputs: list[torch.Tensor] | None = None) -> None:
        """Log a backward that ran. inputs: the parameters given to ``autograd.grad``, if it ran instead."""
        site, led, node, kind, summed, before = start
        if inputs is None:
            self.hands.ran(root)
        root = root[0] if isinstance(root, (list, tuple)) and root else root
        filled: list[int] = []
        for held in self.held.values():
            grads = {id(p): p.grad for p in held.parameters() if p.grad is not None}
            wrote = {key for key, grad in grads.items() if before.get(key, -1) != grad._version}
            wrote |= {id(p) for p in inputs or () if isinstance(held.ref(), ManualTraining)}
            held.written |= wrote
            held.left |= {key: id(grad) for key, grad in grads.items()}
            if wrote:
                held.filled += 1
                filled.append(held.number)
                held.summed = held.summed or (held.number in summed and bool(held.used & wrote))
        if kind == "graph" and self.held and not filled:
            kind = "detached"
        self._filled(site, filled)
        whole = self._whole.has(site, len(self.held))
        reaches = self.unowned if whole and isinstance(root, torch.Tensor) else None
        event = self._log.tell(
            log.Backward,
            site=site,
            stack=led,
            value=measures.single(root),
            root=kind,
            forwards=tuple(sorted(self._reached.union(node.forwards if node is not None else NOBODY))),
            losses=losses_behind(node),
            filled=tuple(filled),
            summed=tuple(n for n in summed if n in filled),
            unowned=reaches(root, tuple(filled)) if reaches is not None else (),
            graph=snapshot(node) if whole and node is not None else log.Graph(),
        )
        self._reached.clear()
        self.clearing.forget()
        for observe in self._ran:
            observe(event, root)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        if not self._hooks.watching():
            return None
        self._hooks.quietly("step", self._measure, optimizer)
        self._tape.stop()
        closure = args[1] if len(args) > 1 else kwargs.get("closure")  # args[0] is the optimizer
        if not callable(closure):
            return None
        hooks, tape, windows = self._hooks, self._tape, self.windows

        def seen() -> Any:
            if windows.open:
                tape.start()
            try:
                return closure()
            finally:
                hooks.quietly("step", self._used, optimizer)
                tape.stop()

        return ((args[0], seen, *args[2:]), kwargs) if len(args) > 1 else (args, kwargs | {"closure": seen})

    def _used(self, optimizer: Any) -> None:
        """A closure returned: the step uses the gradients present now, whatever the next call clears."""
        if (held := self.held_by(optimizer)) is not None:
            held.used |= {id(p) for p in held.parameters() if p.grad is not None}
            held.written = set()

    def _measure(self, optimizer: Any) -> None:
        held = self.held_by(optimizer) or self.hold(optimizer, None)
        self.clearing.look(self.held.values())
        now = [] if held.steps or keeps_state(optimizer) else versions(held.parameters())
        held.onward = bool(now) and self._left.get((held.site, now[0][0])) == now
        every = (p for p in held.parameters() if not torch.nn.parameter.is_lazy(p))
        held.before = [measures.sampled(p, measures.MANY) for p in every]

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        windows, held = self.windows, self.held.get(id(optimizer))
        if not self._hooks.on:
            return
        self.steps += 1
        if held is not None:
            held.steps += 1
        windows.stepped = windows.turn
        if windows.open:
            self._tape.start()
            if self._hooks.watching() and held is not None:
                self._hooks.quietly("step", self._stepped, held)
            self._values.tick(self.steps)
            self.shift()
        elif windows.turn >= windows.due:
            self.shift()
            self._hooks.quietly("step", self._used, optimizer)
        if self._after is not None:
            self._after(self.steps)

    def _stepped(self, held: OptimizerRecord) -> None:
        own, (turn, before) = held.parameters(), held.taken
        force, led = measures.force_of(own), [p for p in own if p.grad is not None]
        still = {id(p) for p in force.still}
        held.taken = (
            self.windows.turn,
            {(id(p), id(p.grad), p.grad._version) for p in led if p.grad is not None and id(p) not in still},
        )
        fields: dict[str, Any] = {"twice": turn == self.windows.turn and not before.isdisjoint(held.taken[1])}
        fields["frozen"] = tuple(self.number(p) for p in moved_without(own, held.before, still))[:64]
        self.tell(held, here(), force, {id(p) for p in led}, **fields)

    def tell(
        self, held: OptimizerRecord, site: Site | None, force: measures.Force, used: set[int], **more: Any
    ) -> None:
        """Log a step. used: ids of the parameters whose gradients it used. more: further fields."""
        own = held.parameters()
        optimizer: Any = held.ref()
        decay = measures.number_of(optimizer.param_groups[0].get("weight_decay", 0.0))
        size = moved = 0.0
        if held.before is not None and len(held.before) == len(own):
            size, moved = measures.movement(own, held.before)
        held.before = None
        if held.steps >= FURTHER * held.measured:
            held.measured = held.steps
            self._went(held)
        fields: dict[str, Any] = {"gradients": force.count, "zeros": len(force.still), "summed": held.summed}
        fields["missing"] = tuple(self.number(p) for p in force.missing)[:64]
        fields["still"] = tuple(self.number(p) for p in force.still)[:64]
        fields["assigned"] = any(held.left.get(id(p), id(p.grad)) != id(p.grad) for p in own)
        fields["anew"] = held.onward and keeps_state(optimizer)
        fields |= {"ratio": moved / size if size > 0 else math.nan, "norm": size, "force": force.norm}
        fields["decay"] = decay * size / force.norm if force.norm > 0 else math.nan
        self._log.tell(log.Stepped, optimizer=held.number, site=site, **fields, **more)
        held.used |= used
        held.summed, held.written, held.left = False, set(), {}
        if len(self._left) > LOGGED:
            self._left.clear()
        if now := versions(own):
            self._left[held.site, now[0][0]] = now

    def _went(self, held: OptimizerRecord) -> None:
        """Measure the distance between an optimizer's weights and their first values."""
        far = size = 0.0
        for p in held.parameters():
            start = self._starts.get(self.number(p))
            if start is None or start[1].shape != (now := measures.sampled(p)).shape:
                continue
            step = measures.norm(now - start[1])
            far, size = far + step**2, size + start[2] ** 2
            held.moved = held.moved or step > 0 or not math.isfinite(step)
        if size > 0:  # 0 if the parameters no longer exist or began as zeros
            held.movement = math.sqrt(far / size)

    def _end(self, held: OptimizerRecord) -> None:
        """Log the totals of an optimizer; once it no longer exists, its weights can't be measured."""
        if not held.logged:
            return
        self._went(held)
        totals = {name: getattr(held, name) for name in ("steps", "filled", "moved", "movement")}
        self._log.tell(log.OptimizerEnded, optimizer=held.number, **totals)

    def finish(self) -> None:
        self._tell_reached()
        self.hands.settle()
        for held in self.held.values():
            self._end(held)
        for site, courses in self._courses.items():
            for losses in courses:
                losses.fetch()
                self._log.tell(log.Course, site=site, turn=losses.turn, values=tuple(losses.values))


def versions(parameters: list[torch.Tensor]) -> list[tuple[int, int]]:
    """The write counts of these tensors: they change as soon as anything writes to one of the tensors."""
    return [(id(p), p._version) for p in parameters if not p.is_inference()]


def moved_without(own: list[torch.Tensor], before: list[torch.Tensor] | None, still: set[int]) -> list[Any]:
    """The parameters with other values than before that need no gradient, or whose gradients are zeros."""
    pairs = zip(own, before or (), strict=False) if len(before or ()) == len(own) else ()
    none = ((p, old) for p, old in pairs if not p.requires_grad or id(p) in still)
    return [p for p, old in none if not torch.equal(measures.sampled(p, measures.MANY), old)]


def keeps_state(optimizer: Any) -> bool:
    """Whether an optimizer remembers past gradients: a tensor as large as a parameter (momentum, moments)."""
    state = getattr(optimizer, "state", {})
    known = ((p, state[p]) for g in optimizer.param_groups for p in g["params"] if p in state)
    kept = ((p, value) for p, own in known for name, value in own.items() if name != "step")
    return any(isinstance(v, torch.Tensor) and v.shape == p.shape and bool(v.any()) for p, v in kept)
