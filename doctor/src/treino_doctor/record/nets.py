"""Record nets: which modules are called, in which mode, with which rows; the batches of batch norms."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.module import register_module_forward_pre_hook

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np, there
from treino_doctor.record.identity import ByIdentity
from treino_doctor.record.lines import here, maker, stack
from treino_doctor.record.log import EvalSet, Forward, NetMade
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import Normed
from treino_doctor.record.tables import as_array
from treino_doctor.record.torch_versions import register_forward_hook
from treino_doctor.record.values import Node, first_tensors, newest_calls, together

# The most common layers that behave the same in both modes; telling this of any layer takes longer.
MODELESS = frozenset((nn.Sequential, nn.Linear, nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.LayerNorm))
OFTEN = 4  # writes to a weight that are more than those of its making
PASSED = "passed"  # the operation of an answer whose call was left out
BEHIND = 8  # earlier calls behind an answer without gradient, as of an encoder, or in a rollout

# Without gradients, these run as one fused operation unless a mode is active: so the tape pauses meanwhile.
FUSED = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder)

OF_CHANNELS = ("dropout1d", "dropout2d", "dropout3d", "feature_dropout", "feature_alpha_dropout")
DROPOUTS = ("dropout", "alpha_dropout", *OF_CHANNELS)


class Nets(Observer):
    """Watches root modules and their calls.

    numbers: the number of each net. forwards: the calls so far. passed: the number of the newest that was not
    recorded. loader: returns the line of the loader that is in use.
    """

    def __init__(
        self, of: Recording, number_of: Callable[[torch.Tensor], int], loader: Callable[[], Site | None]
    ) -> None:
        super().__init__(of)
        self.numbers, self.order = ByIdentity[int](), ByIdentity[int]()
        self.made = ByIdentity[Site | None]()
        self.made_count = self.count = self.forwards = self.passed = 0
        self.loaded: ByIdentity[bool] = ByIdentity()  # modules that loaded a state
        self.normed: ByIdentity[Normed] = ByIdentity()  # batch norm -> its batches
        self.batches: list[Normed] = []  # of all batch norms, existing or not
        self._unfed: ByIdentity[torch.Tensor] = ByIdentity()  # its weight at its first evaluation unfed
        self.entered: set[int] = set()  # ids of modules, layers too, that were called in a window
        self._lines: set[Site | None] = set()  # lines that call modules inside another one
        self._inside: dict[Site, None] = {}  # those that a call is the first to reach, and their callers
        self._number_of, self._loader, self._called = number_of, loader, of.called
        self._reached = of.reached
        self.roots: list[Any] = []  # observers of new root modules
        self.loading: list[Any] = []  # observers of a module that is about to load weights, by (args, kwargs)
        self.loads: list[Any] = []  # observers of a module that loaded weights, by (args, kwargs)
        self._stack: list[nn.Module] = []
        self._dropping: list[Site | None] = []
        self._norming = self._step = 0
        self._place: tuple[Site | None, tuple[Site, ...]] = (None, ())
        self._keywords: tuple[Any, ...] = ()  # the arguments of a root's call, if all were passed by name
        self._same_rows: dict[tuple[int, bytes], int] = {}  # (net, rows) -> newest call since the last step
        self.handles: list[Any] = []  # torch's hooks, as long as calls are recorded

    def install(self) -> None:
        self._hooks.observe(nn.Module, "__init__", self._making)
        self._hooks.observe(nn.Module, "train", after=self._rests, fits=self._is_rest)
        self._hooks.observe(nn.Module, "load_state_dict", self._loading, self._load)
        self._tape.observe(self._dropped, *DROPOUTS)
        self._tape.observe(self._normed, "batch_norm")
        self._tape.layer = self._layer
        self._tape.failures.setdefault("batch_norm", []).append(self._refused)

    def open(self) -> None:
        """The window opens: record every module's call."""
        if not self.handles:
            self._stack.clear()
            self._listen()

    def _listen(self) -> None:
        self.handles = [register_module_forward_pre_hook(self.entering), register_forward_hook(self.leaving)]

    def close(self) -> None:
        """The window closes."""
        self._stop_listening()
        self._stack.clear()
        self._keywords = ()

    def _stop_listening(self) -> bool:
        handles, self.handles = self.handles, []
        for handle in handles:
            handle.remove()
        return bool(handles)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Record nothing inside the block."""
        before, self._hooks.on, listening = self._hooks.on, False, self._stop_listening()
        try:
            with self._tape.away():
                yield
        finally:
            if listening:
                self._listen()
            self._hooks.on = before

    @property
    def current(self) -> nn.Module | None:
        """The module whose forward is running."""
        return self._stack[-1] if self._stack else None

    def _layer(self) -> Site | None:
        """The line that made the torch layer that is running; None in a user's own module."""
        module = self.current
        of_torch = type(module).__module__.startswith("torch.nn.")
        return self.made.get(module) if of_torch else None

    def net(self, module: nn.Module) -> int:
        """Return the number of a net. A new net is logged."""
        if (known := self.numbers.get(module)) is None:
            parts = list(module.modules())
            modal = tuple(sorted({kind_of(m) for m in parts if is_modal(m)}))
            loaded = any(m in self.loaded or m not in self.made for m in parts)
            owned = tuple(self._number_of(p) for p in module.parameters())
            own = {"made_at": self.made.get(module), "modal": modal, "loaded": loaded, "parameters": owned}
            known = self.numbers[module] = self.count
            self.count += 1
            self._log.tell(NetMade, net=known, kind=kind_of(module), **own)
            for observe in self.roots:
                observe(module)
        return known

    def _making(self, args: Any, kwargs: Any) -> None:
        self.made[args[0]] = maker(args[0])
        self.made_count += 1
        self.order[args[0]] = self.made_count

    def _loading(self, args: Any, kwargs: Any) -> None:
        for observe in self.loading:
            observe(args, kwargs)

    def _load(self, result: Any, args: Any, kwargs: Any) -> None:
        self.loaded.update((module, True) for module in args[0].modules())
        for observe in self.loads:
            observe(args, kwargs)

    def _is_rest(self, module: nn.Module, mode: bool = True) -> bool:
        """Whether ``train(mode)`` sets a net to eval mode; ``eval()`` calls it."""
        return not mode and module in self.numbers

    def _rests(self, result: Any, args: Any, kwargs: Any) -> None:
        self._log.tell(EvalSet, net=self.numbers[args[0]], site=here())

    def _dropped(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        training = kwargs.get("training", args[2] if len(args) > 2 else True)
        share = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
        if training and share > 0:
            self._dropping.append(node.site if node is not None else None)

    def _normed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        training = bool(kwargs.get("training", args[5] if len(args) > 5 else False))
        self._norming += training
        self._batch(args[0], training)

    def _refused(self, error: BaseException, args: Any, kwargs: Any) -> None:
        if "more than 1 value" in str(error):
            self._batch(args[0], True, crashed=True)

    def _batch(self, x: torch.Tensor, training: bool, *, crashed: bool = False) -> None:
        """Count a batch of the batch norm that is running."""
        if (layer := self.current) is None:
            return
        if (known := self.normed.get(layer)) is None:
            known = self.normed[layer] = Normed(made_at=self.made.get(layer))
            self.batches.append(known)
        known.crashed |= crashed
        known.evaluated += not training
        if not training and self._is_unfed(layer):
            known.unfed += 1
            known.unfed_at = self._place[0]
        known.larger += training and x.shape[0] > 1
        if training and x.shape[0] == 1:
            known.ones += 1
            known.shape, known.stack, known.loader = tuple(x.shape), stack(), self._loader()
            known.called_at, known.graph = self._place[0], torch.is_grad_enabled()

    def finish(self) -> None:
        for one in self.batches:
            if one.ones or one.unfed:
                self._log.add(one)

    def _is_unfed(self, layer: Any) -> bool:
        """Whether a batch norm still has its first averages, 0 and 1, although its weights were written to:
        since its first evaluation, or often."""
        mean, var, weight = (getattr(layer, n, None) for n in ("running_mean", "running_var", "weight"))
        if mean is None or var is None or weight is None or mean.any() or not (var == 1).all():
            return False
        if layer not in self._unfed:
            self._unfed[layer] = weight.detach().clone()
        written = not weight.is_inference() and weight._version >= OFTEN
        return written or not torch.equal(self._unfed[layer], weight)

    def entering(self, module: nn.Module, args: Any) -> None:
        """Called before a module's forward."""
        if not self._hooks.watching():
            return
        if not self._stack:
            self._dropping, self._norming = [], 0
            self._place, self._inside = (here(), stack()), {}
        elif (site := here()) not in self._lines:
            self._lines.add(site)
            self._inside |= dict.fromkeys(s for s in stack() if s not in self._place[1])
        self._stack.append(module)
        self.entered.add(id(module))
        if isinstance(module, FUSED) and not torch.is_grad_enabled():
            self._tape.idle += 1

    def called_by_name(self, kwargs: dict[str, Any]) -> None:
        """Note a net's call with keywords alone, which torch's hooks don't pass on."""
        if self.handles and not self._stack:
            self._keywords = tuple(kwargs.values())

    def leaving(self, module: nn.Module, args: Any, result: Any) -> None:
        """Called after a module returned a result."""
        if not self._stack or not self._hooks.watching():
            return
        while self._stack and self._stack.pop() is not module:
            continue  # drop modules whose forward raised
        if isinstance(module, FUSED) and not torch.is_grad_enabled():
            self._tape.idle = max(0, self._tape.idle - 1)
        if result is not None:
            self._hooks.quietly("forward", self._left, module, args, result)

    def _left(self, module: nn.Module, args: Any, result: Any) -> None:
        self.unseen("module", args, result, kind=kind_of(module))
        if not self._stack:
            keywords, self._keywords = self._keywords, ()
            self._root(module, args or keywords, result)

    def unseen(self, name: str, inputs: Any, result: Any, **detail: Any) -> list[torch.Tensor]:
        """Record values whose operations were not recorded, as inside a fused or compiled module."""
        values = first_tensors((result,))
        for value in values:
            if self._values.find(value) is None:
                self._values.made(value, name, first_tensors(inputs), here(), detail)
        return values

    def passing(self, module: nn.Module, inputs: Any, result: Any) -> None:
        """A call was not recorded; of its result, only that it comes from a net is known."""
        self.passed = self.forwards = self.forwards + 1
        for tensor in self.unseen(PASSED, inputs, result, kind=kind_of(module)):
            self._answer(tensor, self.passed)

    def _answer(self, tensor: torch.Tensor, number: int) -> None:
        """Note that a value is the result of a net's call."""
        node = self._values.of(tensor)
        before = node.forwards if node.grad else frozenset(newest_calls(node.forwards, BEHIND))
        node.forwards = together([before, frozenset((number,))], node.grad)
        with suppress(RuntimeError):  # a view that was changed in place may have no gradient function
            if (function := tensor.grad_fn) is not None:
                reached = self._reached
                function.register_hook(lambda *_: reached.add(number))

    def _root(self, module: nn.Module, args: Any, result: Any) -> None:
        if (net := self.numbers.get(module)) is None:
            if isinstance(module, nn.modules.loss._Loss) or next(module.parameters(), None) is None:
                return
            net = self.net(module)
        batch = next(iter(first_tensors(args)), None)
        number = self.forwards = self.forwards + 1
        answers, step = first_tensors((result,)), self._log.moment().get("step", 0)
        if step != self._step:
            self._step, self._same_rows = step, {}
        mark = fingerprint(batch) if batch is not None else b""
        shape = tuple(batch.shape) if batch is not None else ()
        modal = [m.training for m in module.modules() if is_modal(m)]
        site, led = self._place
        event = self._log.tell(
            Forward,
            forward=number,
            net=net,
            site=site,
            stack=led,
            training=module.training,
            grad=torch.is_grad_enabled() and any(t.requires_grad for t in answers),
            rows=next(iter(shape), 0),
            shape=shape,
            dropping=tuple(self._dropping[:8]),
            norming=self._norming,
            active=sum(modal),
            resting=len(modal) - sum(modal),
            again=self._same_rows.get((net, mark), 0),
            inside=(*self._inside,),
        )
        if mark:
            self._same_rows[net, mark] = number
        for tensor in answers:
            self._answer(tensor, number)
        for observe in self._called:
            observe(event, module, args, result)


def is_modal(module: nn.Module) -> bool:
    """Whether a layer behaves differently in training mode: batch norm, or dropout with p > 0."""
    if type(module) in MODELESS:
        return False
    if isinstance(module, nn.RNNBase):
        return bool(module.dropout > 0 and module.num_layers > 1)
    if isinstance(module, nn.MultiheadAttention):
        return bool(module.dropout > 0)
    kind = kind_of(module)
    drops = (isinstance(module, _DropoutNd) or "Dropout" in kind) and getattr(module, "p", 1) > 0
    return isinstance(module, _BatchNorm) or kind.startswith("BatchNorm") or drops


def kind_of(module: nn.Module) -> str:
    """The class name of a layer; for a scripted layer, its original class."""
    return str(getattr(module, "original_name", None) or type(module).__name__)


def fingerprint(tensor: torch.Tensor) -> bytes:
    """A few numbers that identify a batch: its shape, its sum, and values spread over it."""
    if not there or not tensor.numel() or tensor.layout != torch.strided or tensor.device.type != "cpu":
        return b""
    flat = as_array(tensor)
    with np.errstate(all="ignore"):  # the tensor may hold any numbers
        whole = flat.sum()  # a few values don't suffice: images may share black corners
    some = flat.reshape(-1)[:: max(1, flat.size // 64)]
    return repr((flat.shape, whole)).encode() + some.tobytes()
