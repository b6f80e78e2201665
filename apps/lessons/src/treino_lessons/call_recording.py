"""Calls the learner's function, and records the network's inputs and weight changes."""

import contextlib
import functools
import inspect
import io
import traceback
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import lr_scheduler as schedulers
from torch.optim.optimizer import register_optimizer_step_pre_hook

from treino.engine import HashDropout
from treino_lessons.placement import Placement
from treino_lessons.problem import BATCH, CLASSES, EPOCHS, LR, STEPS, Problem, State, copied, keyed

Forward = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Visit:
    """One call of the network. batch: the loader's batch, None for other rows. before, left: the
    weights and the gradients when it began. modes: for each layer, whether it was in training mode.
    stepped: an entry for each optimizer step: how that optimizer was made, "" if like the given one.
    left_behind: whether its rows were not moved to the device.
    """

    batch: int | None
    before: State
    left: State
    modes: dict[str, bool] = field(default_factory=dict)
    stepped: list[str] = field(default_factory=list)
    left_behind: bool = False


@dataclass(frozen=True, eq=False)
class Pass:
    """One call of the function. after: the weights at its end. handed: batches that the loader gave.

    mixed: a torch function that was called on both host and device tensors; "" for none. made: for each
    optimizer, schedule and loss that the function makes itself, whether it is a loss, and its kind.
    graphs: whether the network's answers had a graph, and whether a batch's outlived the next batch.
    """

    mode: str
    epoch: int
    visits: list[Visit]
    after: State
    handed: int
    returned: Any
    printed: str
    error: BaseException | None
    line: tuple[int, str] | None  # of the function's file, where it raised
    mixed: str
    made: tuple[tuple[bool, str], ...]
    graphs: tuple[bool, bool]

    def weights_after(self, at: int) -> State:
        return self.visits[at + 1].before if at + 1 < len(self.visits) else self.after


class Mark:
    """An object that lives as long as the graph that it is hung on."""


@dataclass
class Graphs:
    """The graphs of the network's answers in one call of the function, a reference to a mark for each."""

    marks: list[weakref.ref[Mark]] = field(default_factory=list)
    kept: bool = False

    def answered(self, _module: nn.Module, _args: Any, answer: Any) -> None:
        """The network's hook: look which graphs are left, and mark the new one."""
        self.kept = self.kept or any(mark() is not None for mark in self.marks[:-1])
        if getattr(answer, "grad_fn", None) is not None:
            mark = answer.grad_fn.metadata["mark"] = Mark()
            self.marks.append(weakref.ref(mark))

    @property
    def seen(self) -> tuple[bool, bool]:
        return bool(self.marks), self.kept


def passes(forward: Forward, tried: Problem) -> list[Pass]:
    """Call the function to train and test twice, each on the weights that the previous call left."""
    net, drops = tried.net()
    optimizer = torch.optim.SGD(net.parameters(), lr=LR)
    found = []
    visits: list[Visit] = []
    now = ("train", 0)

    placement = Placement([*net.parameters(), *net.buffers()])
    made: list[tuple[bool, str]] = []

    def enters(_module: nn.Module, args: tuple[Any, ...]) -> None:
        placement.watches = False
        mode, epoch = now
        batch = _which(tried, mode, args[0] if args else None)
        if batch is not None and mode == "train":
            keyed(drops, epoch * STEPS + batch)
        left = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
        behind = bool(args) and getattr(args[0], "on_host", None) is True
        visits.append(Visit(batch, copied(net), left, left_behind=behind))
        placement.watches = True

    def works(name: str) -> Callable[..., None]:
        def hook(layer: nn.Module, _args: tuple[Any, ...]) -> None:
            visits[-1].modes[name] = layer.training

        return hook

    given_s = _made(optimizer)

    def steps(used: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        if not visits:
            return
        visit = visits[-1]
        unmoved = all(torch.equal(p, visit.before[name]) for name, p in net.named_parameters())
        if unmoved or visit.stepped:  # a first step that comes after an update by hand isn't the update
            visit.stepped.append("" if _made(used) == given_s else _made(used))

    def call() -> Pass:
        mode, epoch = now
        loader, printed = tried.loader(mode), io.StringIO()
        returned = error = line = None
        with contextlib.redirect_stdout(printed):
            try:
                with placement:
                    returned = forward(loader, net, epoch, mode)
            except (Exception, SystemExit) as raised:
                error, line = raised, where(raised, _file(forward))
        said, used = (returned, printed.getvalue(), error, line), (placement.mixed, tuple(made), graphs.seen)
        return Pass(mode, epoch, list(visits), copied(net), loader.handed, *said, *used)

    graphs = Graphs()
    net.register_forward_pre_hook(enters)
    net.register_forward_hook(lambda *answered: graphs.answered(*answered))
    for layer in net.children():
        for kind, name in ((nn.BatchNorm1d, "BatchNorm1d"), (HashDropout, "Dropout")):
            if isinstance(layer, kind):
                layer.register_forward_pre_hook(works(name))
    arguments = {"criterion": nn.CrossEntropyLoss(), "optimizer": optimizer, "args": _args()}
    any_step = register_optimizer_step_pre_hook(steps)  # the function may make an optimizer of its own
    with _names(forward, arguments), any_step, _makings(made), torch.enable_grad():
        for epoch in range(EPOCHS):
            for mode in ("train", "test"):
                now = mode, epoch
                visits.clear()
                made.clear()
                placement.mixed = ""
                graphs = Graphs()
                found.append(call())
                if found[-1].error is not None:
                    return found
    return found


def _file(forward: Forward) -> str:
    """Return the file of the function's code, or of a callable object's ``__call__``."""
    code = getattr(inspect.unwrap(forward), "__code__", None) or getattr(
        type(forward).__call__, "__code__", None
    )
    return code.co_filename if code else ""


def where(error: BaseException, file: str) -> tuple[int, str] | None:
    """(line, text) of the last line in this file that the error came through."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno, (error.text or "").strip()
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return (frames[-1].lineno or 0, frames[-1].line or "") if frames else None


def _which(tried: Problem, mode: str, x: Any) -> int | None:
    for number in range(STEPS):
        rows = tried.batch(mode, number)[0]
        if isinstance(x, Tensor) and x.shape == rows.shape and torch.equal(x.to(rows.dtype), rows):
            return number
    return None


def _made(optimizer: torch.optim.Optimizer) -> str:
    """Describe an optimizer by its class and main settings: ``SGD(lr=0.5)``."""
    group = optimizer.param_groups[0]
    named = {name: group.get(name) for name in ("lr", "momentum", "weight_decay")}
    listed = ", ".join(f"{name}={value:g}" for name, value in named.items() if name == "lr" or value)
    return f"{type(optimizer).__name__}({listed})"


def _args() -> dict[str, Any]:
    """The course's dictionary."""
    loop = {"batch_size": BATCH["train"], "num_epochs": EPOCHS, "lr": LR, "weight_decay": 0.0}
    return loop | {"num_workers": 0, "num_classes": CLASSES, "device": torch.device("cpu")}


@contextlib.contextmanager
def _makings(made: list[tuple[bool, str]]) -> Iterator[None]:
    """Within the block, record in ``made`` the kinds of optimizers, schedules and losses that are made."""
    schedule = getattr(schedulers, "LRScheduler", None) or schedulers._LRScheduler  # the name before torch 2
    schedules = schedule, schedulers.ReduceLROnPlateau
    kinds: tuple[Any, ...] = (torch.optim.Optimizer, *schedules, nn.modules.loss._Loss)
    inits = [(kind, kind.__init__) for kind in kinds]

    def listing(init: Callable[..., None]) -> Callable[..., None]:
        def listed(self: Any, *args: Any, **kwargs: Any) -> None:
            made.append((isinstance(self, nn.Module), type(self).__name__))
            init(self, *args, **kwargs)

        return functools.wraps(init)(listed)

    for kind, init in inits:
        kind.__init__ = listing(init)
    try:
        yield
    finally:
        for kind, init in inits:
            kind.__init__ = init


@contextlib.contextmanager
def _names(forward: Forward, arguments: dict[str, Any]) -> Iterator[None]:
    """Replace the function's global names by these, and restore them afterwards."""
    place = getattr(inspect.unwrap(forward), "__globals__", {})
    usual = {"torch": torch, "nn": nn, "np": np, "F": F}
    arguments = arguments | {name: value for name, value in usual.items() if name not in place}
    before = {name: place[name] for name in arguments if name in place}
    place.update(arguments)
    try:
        yield
    finally:
        for name in arguments:
            place.pop(name, None)
        place.update(before)
