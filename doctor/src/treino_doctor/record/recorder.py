"""The recorder: installs all observers, removes them, and closes the log."""

import sys
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from types import FrameType
from typing import Any

import torch
from torch import is_grad_enabled, nn
from torch._C import _get_tracing_state as tracing_state

from treino_doctor.record.activations import Activations
from treino_doctor.record.clearing import Clips
from treino_doctor.record.compiled import Compiled
from treino_doctor.record.gradients import Gradients
from treino_doctor.record.identity import OthersReferences
from treino_doctor.record.lines import unseen
from treino_doctor.record.loaders import Loaders
from treino_doctor.record.log import Backward, Ended, Forward
from treino_doctor.record.losses import Losses
from treino_doctor.record.marks import Marks
from treino_doctor.record.masks import Masks, Reshapes
from treino_doctor.record.nets import Nets
from treino_doctor.record.nonfinite import Finiteness
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.owners import Owners, Unreached
from treino_doctor.record.reads import Reads
from treino_doctor.record.rows import Rows
from treino_doctor.record.sklearn_hooks import SklearnHooks
from treino_doctor.record.states import States
from treino_doctor.record.tape import leave_no_traces
from treino_doctor.record.torch_versions import let_items_be_seen, without_torch_function
from treino_doctor.record.unfilled import UnfilledTensors
from treino_doctor.record.windows import DENSE, LEARNED

KEY = 9  # numbers that identify where a call comes from: its net, its loader, and three of its callers
FEW = 16  # rows of a call that may be left out
ALIKE = 3  # backwards after which calls from one place are known to be the same
LESS = 8  # calls as which one that is left out counts: little more is learnt from those that follow


class Recorder:
    """Records one program; ``log`` holds what happened.

    after_each_step: called with the number of optimizer steps so far (limits, live findings).
    """

    def __init__(self, after_each_step: Callable[[int], None] | None = None) -> None:
        of = Recording(self.moment)
        self.log, self.hooks, self.windows = of.log, of.hooks, of.windows
        self.values, self.tape = of.values, of.tape
        loaders, marks, finiteness = Loaders(of), Marks(of), Finiteness(of)
        self.gradients = gradients = Gradients(of, marks, finiteness, self._shift, after_each_step)
        self.nets = nets = Nets(of, gradients.number, loaders.line)
        self.rows = Rows(of, nets, loaders)
        self.sklearn = SklearnHooks(self.hooks, self.rows)
        self._parts: tuple[Observer, ...] = (
            self.rows,
            gradients,
            gradients.clearing,
            Owners(of, gradients, nets),
            marks,
            nets,
            Losses(of, nets),
            Masks(of),
            Reshapes(of, nets),
            Clips(of, gradients.held),
            finiteness,
            Activations(of, nets, gradients),
            Unreached(of, nets, gradients),
            Reads(of, nets),
            UnfilledTensors(of),
            Compiled(of, nets, self.entering),
            States(of, nets, gradients),
        )
        self.nets.roots.append(self._root)
        of.called.append(self._called)
        of.ran.append(self._ran)
        self.place: Any = None  # the place of the newest call of a net
        self.within = False  # whether a net's call is under way
        self.trained = Counter[Any]()  # places of calls -> recorded backwards that they led to
        self._places: dict[int, Any] = {}
        self._kinds: set[type] = set()
        self._batches = self.nets.batches  # batches of batch norms, which fail on single rows
        self._seconds = 0.0

    def moment(self) -> dict[str, int]:
        """The current step and turn, the fields of every event."""
        return {"step": self.gradients.steps, "turn": self.windows.turn, "since": self.windows.since}

    @property
    def seconds(self) -> float:
        """The approximate time that all observers, start and stop took."""
        return self.hooks.seconds + self._seconds

    def install(self) -> None:
        """Start recording. Call this before the program imports anything from torch by name."""
        began = perf_counter()
        for part in self._parts:
            part.install()
        leave_no_traces(self.hooks)
        let_items_be_seen(self.hooks.replace, self.tape)
        if hasattr(torch.utils, "swap_tensors"):  # from torch 2.2 on
            self.hooks.replace(torch.utils, "weakref", OthersReferences)
            self.hooks.observe(torch.utils, "swap_tensors", after=self.values.swapped)
        self.hooks.install()
        self.sklearn.install()
        self._open()
        self._seconds += perf_counter() - began

    def count_from(self, steps: int, backwards: int) -> None:
        """Set the counters to what another process counted."""
        self.gradients.steps, self.windows.turn = steps, backwards

    def _open(self) -> None:
        self.nets.open()
        self.gradients.open()
        self.tape.start()

    def _shift(self) -> None:
        """Open or close the window."""
        before = self.windows.open
        now = self.windows.shift()
        if now and not before:
            self._open()
        elif not now and before:
            self._close()
        if not now:
            self.tape.stop()

    def _close(self) -> None:
        self.nets.close()
        self.gradients.close()
        self.tape.stop()

    def _root(self, module: nn.Module) -> None:
        """Wrap the class of a net, to notice calls between windows that don't train."""
        kind = type(module)
        if kind in self._kinds or kind.__module__.startswith(("torch.jit", "torch._dynamo")):
            return
        self._kinds.add(kind)
        recorder, hooks, windows, tape = self, self.hooks, self.windows, self.tape
        own = vars(kind).get("__call__")
        batches, loaders, trained = self._batches, self.rows.loaders, self.trained
        caller, known = sys._getframe, self.nets.numbers.entries
        base: Any = next(k for k in kind.__mro__[1:] if "__call__" in vars(k))

        def called(self: Any, *args: Any, **kwargs: Any) -> Any:
            run = own or base.__call__  # looked up here, as the program may replace it
            if hooks.on and not recorder.within and tracing_state() is None:
                if tape.on and not windows.open:
                    tape.stop()  # torch put it back after a backward, in which the window had closed
                frame = caller(1)
                place = id(frame.f_code), frame.f_lasti, self.training, is_grad_enabled()
                usual = not windows.open and windows.calls < windows.usual and place in trained
                recorder.within = True  # calls of its layers are parts of this one
                try:
                    if usual and id(self) in known and not (loaders.hungry or batches):
                        windows.calls += 1
                        recorder.place, loaders.uncalled = place, False
                        return run(self, *args, **kwargs)
                    inputs = args or tuple(kwargs.values())
                    recorder.entering(self, inputs, frame)
                    if windows.open and recorder.passes(self, inputs, frame):
                        with recorder.nets.away():
                            result = run(self, *args, **kwargs)
                        hooks.quietly("module", recorder.passed, self, inputs, result)
                        return result
                    if kwargs and not args:
                        recorder.nets.called_by_name(kwargs)
                    return run(self, *args, **kwargs)
                finally:
                    recorder.within = False
            return run(self, *args, **kwargs)

        self.hooks.replace(kind, "__call__", unseen(called))

    def passes(self, module: nn.Module, inputs: Any, frame: FrameType) -> bool:
        """Whether a call is one of so many of few rows from one place that it is left out."""
        if self.nets.current is not None or module not in self.nets.numbers:
            return False
        reading = self.rows.loaders.reading
        outer: FrameType | None = frame
        place = [id(module), id(reading), reading.epoch if reading is not None else 0]
        while outer is not None and len(place) < KEY:
            place += id(outer.f_code), outer.f_lasti
            outer = outer.f_back
        most = LEARNED if self.trained[self.place] >= ALIKE else DENSE
        return not self.windows.keeps(*place, most=most) and is_small(inputs) and self.hooks.watching()

    def passed(self, module: nn.Module, inputs: Any, result: Any) -> None:
        """A call was left out."""
        self.nets.passing(module, inputs, result)
        self.windows.passed += is_grad_enabled()
        self._count(is_grad_enabled(), LESS)

    def entering(self, module: nn.Module, args: Any, frame: FrameType) -> None:
        """Decide whether a call of a net belongs to a known training or opens a window."""
        windows, self.rows.loaders.uncalled = self.windows, False
        self.place = place = id(frame.f_code), frame.f_lasti, module.training, is_grad_enabled()
        if windows.open:
            return
        windows.calls += 1
        known = module in self.nets.numbers
        single = self._batches and module.training and is_single(args)
        if known and not single and place in self.trained and windows.calls <= windows.usual:
            if self.rows.loaders.hungry and self.hooks.watching():
                most = LEARNED if is_small(args) else DENSE
                self.hooks.quietly("rows", self.rows.entered, module, args, windows.keeps(place, most=most))
            return
        seen = ("a single row", place) if single else place if known else ("a new net", place)
        if self.hooks.watching() and windows.look(seen):
            self._open()

    def _called(self, event: Forward, *_: Any) -> None:
        """Remember the place of a call until a backward shows that it trains."""
        self._places[event.forward] = self.place
        if len(self._places) > 256:
            self._places.pop(next(iter(self._places)))
        self._count(event.grad)

    def _count(self, grad: bool, calls: int = 1) -> None:
        """Close the window after too many calls that don't train."""
        evaluates = not grad or self.place not in self.trained
        if evaluates and self.windows.too_long(calls):
            self.windows.close()
            self._close()

    def _ran(self, event: Backward, root: Any) -> None:
        """Mark the calls behind a backward as training calls, and note their usual number."""
        own = [f for f in event.forwards if f in self._places]
        self.trained.update({self._places[f] for f in own})
        self.windows.usual = max(self.windows.usual, len(own) + self.windows.passed)

    def stop(self, *, finished: bool = True, error: str = "") -> None:
        """Remove all observers and close the log."""
        began = perf_counter()
        ends = [("steps", self.gradients.counting.remove), ("hooks", self.hooks.undo)]
        ends += [("sklearn", self.sklearn.remove), *((type(p).__name__, p.finish) for p in self._parts)]
        for name, end in [("windows", self._close), *ends]:
            try:
                end()
            except Exception as wrong:
                self.hooks.defect(name, wrong)
        self.log.tell(Ended, finished=finished, watched=self.windows.watched, error=error)
        self._seconds += perf_counter() - began


def is_small(args: Any) -> bool:
    """Whether a net is called with few rows, as if step by step."""
    x = args[0] if args else None
    with without_torch_function():
        return isinstance(x, torch.Tensor) and (x.dim() < 2 or x.shape[0] <= FEW)


def is_single(args: Any) -> bool:
    """Whether a net is called with a single row."""
    return bool(args) and isinstance(args[0], torch.Tensor) and args[0].shape[:1] == (1,)
