"""Losses beside treino's own: torch's by their class names, other packages', and the user's functions.

Such a loss is a function of (output, target), which returns one number, or one for each row. Autograd derives
it, in the kernel ``batched`` for blocks of members at once.
"""

import copy
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.own_calls import check_repeatable, own_call
from treino.base.own_objects import called_by, kept
from treino.base.registry import OwnKind
from treino.base.words import N_, _
from treino.engine.buffers import LossBuffers
from treino.engine.derived_losses import derivatives, least
from treino.engine.losses import LOSSES, Loss, LossKind, Taken
from treino.engine.rng import fork_rng

LOSS_OF_TORCH = Refusal(
    "treino can't tell what outputs mean under torch's {name}: {why}.",
    "Use {names}; or a function of your own that calls it, with what it needs.",
)
LOSS_LINK_UNKNOWN = Refusal("The loss {name} has the link {link!r}.", "Its attribute link is one of {names}.")
OWN_LOSS_FAILS = Refusal(
    "The loss {name} fails on outputs of shape {output} and targets of shape {target}: {cause}",
    "It is called as torch's own: loss(output, target). Try it on torch.randn({output}).",
)
OWN_LOSS_RESULT = Refusal(
    "For {rows} rows the loss {name} returns {got}; wanted is one number, or one for each row or target.",
    "Return a tensor of shape [] or [{rows}], e.g. by .mean().",
)
OWN_LOSS_GRADIENT = Refusal(
    "The loss {name} is cut off from the network's output, so that nothing can be learned.",
    "Leave .detach(), .item(), argmax, comparisons and numpy out of it.",
)
OWN_LOSS_PARAMETERS = Refusal(
    "The loss {name} has parameters of its own that would never learn: {shapes}.",
    "Fix them: parameter.requires_grad_(False). Or give them to the network, to return what they make.",
)
OWN_LOSS_NAN = Refusal(
    "The loss {name} is NaN (no number) for every output that was tried.",
    "Look for a logarithm or a root of numbers below 0, and a division by 0.",
)
OWN_LOSS_ENDLESS = Refusal(
    "The loss {name} falls without end as outputs grow, so that it has no best answer.",
    "If it takes log-probabilities, give it an attribute: link = 'log_softmax'.",
)
OWN_LOSS_ROWS = Refusal(
    "The loss {name} is no mean over rows, so that rows can't have weights in it; [[folds]] gives them, too.",
    "Return one loss for each row, shape [B]; or leave weights and [[folds]] out.",
)

ALIKE = 1e-4  # relative difference up to which the mean of the rows' losses is the loss
PROBE_ROWS = 8
FAR = (1e3, 1e6)  # how far from an output a loss is tried

Function = Callable[[Tensor, Tensor], Tensor]
LINKED = {
    "log_softmax": (replace(LOSSES["cross_entropy"], reads=()), lambda module, output: output.log_softmax(1)),
    "sigmoid": (LOSSES["bce"], lambda module, output: output.sigmoid()),
    "exp": (LOSSES["poisson"], lambda module, output: output.exp()),
}
"""For each link that a function of the user's may declare, treino's loss of the same link, and the function
(module, output) that makes what the user's function gets."""


def _kind(name: str, value: Any) -> LossKind:
    """The registry's entry. value: None: reading a run needs none."""
    own = None if value is None else OwnLoss(name, value)
    given = partial(kept, name) if own is None else lambda: own
    fields: dict[str, Any] = {
        "criterion": type(own.value) if own and isinstance(own.value, nn.Module) else nn.Module,
        "build": derivatives,
        "constant": least,
        "about": N_("a function of the output and the target"),
        "own": own,
        "mean": lambda loss, output, y: given()(output, y),
        "rows": lambda loss, output, y: given().rows(output, y),
    }
    if own is None or own.like is None:
        return LossKind(None, **fields)
    return replace(own.like, **fields, terms=None, reads=(), function="", note="", torch={})


OWN = OwnKind(
    "loss",
    _kind,
    lambda name: getattr(nn, name, None) if name.endswith("Loss") else None,
    lambda name: next((k for k in LOSSES.values() if name in (k.class_name, *k.torch)), None),
    hint=N_("Others: a class of torch.nn, a function of (output, target), or FILE.py:NAME."),
)


def meaning_of(name: str, value: Any) -> tuple[LossKind | None, Taken | None]:
    """What outputs mean under a loss that isn't treino's.

    Returns treino's loss whose outputs mean the same, and the function (module, output) that makes what this
    loss takes instead of outputs; (None, None): it takes logits, or values as they are prepared.

    Raises:
        TreinoError: a loss of torch of which treino knows no meaning; an unknown link.
    """
    if (torchs := _of_torch(value)) is not None:
        for like in LOSSES.values():
            if torchs is like.criterion or torchs.__name__ in like.torch:
                return like, like.torch.get(torchs.__name__)
        takes = [*inspect.signature(vars(torchs)["forward"]).parameters][1:]
        why = _("its outputs are neither values nor scores from which probabilities follow")
        if len(takes) != 2:
            why = _("it takes {names}, not an output and a target").format(names=", ".join(takes))
        known = sorted({n for like in LOSSES.values() for n in (like.class_name, *like.torch)})
        raise LOSS_OF_TORCH(name=name, why=why, names=", ".join(n for n in known if hasattr(nn, n)))
    link = getattr(value, "link", getattr(called_by(value), "link", None))
    if link is None:
        return None, None
    if link not in LINKED:
        raise LOSS_LINK_UNKNOWN(name=name, link=link, names=", ".join(LINKED))
    return LINKED[link]


def _of_torch(value: Any) -> type[nn.Module] | None:
    """The class of torch whose formula a loss is: its own, the one whose ``forward`` it inherits, or the one
    that calls a function of ``torch.nn.functional``; else None."""
    value = called_by(value)
    if inspect.isfunction(value) and value.__module__ == F.__name__:
        calling = (own for own in vars(nn.modules.loss).values() if "forward" in getattr(own, "__dict__", ()))
        return next((own for own in calling if value.__name__ in own.forward.__code__.co_names), None)
    kind = value if inspect.isclass(value) else type(value)
    holder = next((own for own in kind.__mro__ if "forward" in vars(own)), None)
    torchs = holder not in (None, nn.Module) and holder.__module__.startswith(nn.modules.__name__)
    return holder if torchs else None


class OwnLoss:
    """A loss as a function (output, target) → scalar, of a batch in the shapes of training.

    value: a function, a module or its class."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.like, self._taken = meaning_of(name, value)
        self.value: Any = value() if inspect.isclass(called_by(value)) else value
        self._way: Callable[[Tensor, Tensor], Tensor | None] | None = None  # to each row's loss

    def __call__(self, output: Tensor, y: Tensor) -> Tensor:
        """The loss of a batch.

        Raises:
            TreinoError: the function fails, or returns something else than one number or one for each row.
        """
        return self._called(self.value, output, y).mean()

    def couples(self, output: Tensor, y: Tensor) -> bool:
        """Whether it is no mean over rows, so that its value depends on which rows are together."""
        with fork_rng(0):
            return bool(self.rows(output[:PROBE_ROWS], y[:PROBE_ROWS])[0].isnan().all())

    def measure(self, output: Tensor, y: Tensor, size: int | None) -> Tensor:
        """The loss of all rows. One that couples rows is measured on batches of ``size`` consecutive rows, to
        the last of which the rest belongs, and each batch counts by its rows."""
        rows = len(y)
        if size is None or rows < 2 * size or not self.couples(output, y):
            return self(output, y)
        sizes = [size] * (rows // size - 1)
        sizes.append(rows - sum(sizes))
        parts = zip(output.split(sizes), y.split(sizes), sizes, strict=True)
        return torch.stack([self(*part) * (n / rows) for *part, n in parts]).sum()

    def rows(self, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Each row's loss, and its weight 1, ``[B]``; losses are NaN if the loss is no mean over rows."""
        one_B = torch.ones(len(output), dtype=torch.float64, device=output.device)
        each_B = self._way_for(output, y)(output, y)
        return torch.full_like(one_B, torch.nan).to(output.dtype) if each_B is None else each_B, one_B

    def _way_for(self, output: Tensor, y: Tensor) -> Callable[[Tensor, Tensor], Tensor | None]:
        """The way to each row's loss whose mean is the loss, found once, on more than one row."""
        if self._way is not None:
            return self._way
        whole = self(output, y).detach()
        for way in (self._plain, self._unreduced, self._alone, lambda output, y: None):
            with suppress(Exception):
                each_B = way(output, y)
                mean = whole if each_B is None else each_B.detach().mean()
                alike = torch.isclose(mean, whole.to(mean), rtol=ALIKE, atol=1e-7, equal_nan=True)
                if each_B is not None and alike:
                    break
        if len(output) > 1:
            self._way = way
        return way

    def _plain(self, output: Tensor, y: Tensor) -> Tensor | None:
        value = self._called(self.value, output, y)
        return value.flatten(1).mean(1) if value.dim() > 1 else value if value.dim() else None

    def _unreduced(self, output: Tensor, y: Tensor) -> Tensor | None:
        """By torch's argument ``reduction``."""
        function: Any = self.value
        if isinstance(function, nn.Module) and hasattr(function, "reduction"):
            function = copy.copy(function)
            function.reduction = "none"
        elif callable(function) and "reduction" in inspect.signature(function).parameters:
            function = partial(function, reduction="none")
        else:
            return None
        value: Tensor = self._returned(function, output, y)
        return (
            value.flatten(1).mean(1) if value.dim() > 1 else value if value.shape == (len(output),) else None
        )

    def _alone(self, output: Tensor, y: Tensor) -> Tensor:
        """Each row as a batch of one."""

        def of_row(output_C: Tensor, y_row: Tensor) -> Tensor:
            value: Tensor = self._returned(self.value, output_C.unsqueeze(0), y_row.unsqueeze(0))
            return value.mean()

        each_B: Tensor = torch.func.vmap(of_row)(output, y)
        return each_B

    def _called(self, function: Function, output: Tensor, y: Tensor) -> Tensor:
        value = self._returned(function, output, y)
        if not isinstance(value, Tensor) or value.shape not in ((), (1,), (len(output),), y.shape):
            got = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise OWN_LOSS_RESULT(name=self.name, rows=len(output), got=got)
        if not value.is_floating_point():
            raise OWN_LOSS_GRADIENT(name=self.name)
        return value.to(torch.promote_types(value.dtype, output.dtype))

    def _returned(self, function: Function, output: Tensor, y: Tensor) -> Any:
        """What the function returns for copies, into which it may write."""

        def taken(output: Tensor) -> tuple[Tensor, ...]:
            made = self._taken(self.value, output) if self._taken else output.clone()
            return made if isinstance(made, tuple) else (made,)

        with self._errors(output, y):
            try:
                first, *more = taken(output)
                return function(first, y.clone(), *more)
            except RuntimeError:
                if output.dtype != torch.float64:
                    raise
                # it holds tensors in float32, and is measured in float64
                single = y.float() if y.is_floating_point() else y.clone()
                first, *more = taken(output.float())
                value: Any = function(first, single, *more)
                return value.double() if isinstance(value, Tensor) else value

    def _errors(self, output: Tensor, y: Tensor) -> AbstractContextManager[None]:
        shapes = {"output": list(output.shape), "target": list(y.shape)}
        return own_call(OWN_LOSS_FAILS.of_cause(name=self.name, **shapes))

    def check(self, output_BC: Tensor, y: Tensor) -> None:
        """Try the loss on rows of this shape.

        Raises:
            TreinoError: it fails, returns something else than a loss, has no gradient, or isn't repeatable.
        """
        value, slope = self._derived(output_BC, y)
        if bool(value.isnan()):
            chance = torch.Generator().manual_seed(0)
            if bool(self(torch.rand(output_BC.shape, generator=chance).to(output_BC), y).isnan()):
                raise OWN_LOSS_NAN(name=self.name)
        check_repeatable(self.name, self.value, lambda: self._derived(output_BC, y)[0])
        with fork_rng(0):
            near, far = (float(self(output_BC.detach() - by * slope.sign(), y).detach()) for by in FAR)
        if far < -FAR[0] and far < near * FAR[0] / 10:
            raise OWN_LOSS_ENDLESS(name=self.name)

    def _derived(self, output_BC: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of these rows, and its derivative by the outputs."""
        with torch.enable_grad(), fork_rng(0):
            output = output_BC.detach().clone().requires_grad_()
            value = self(output, y)
            if not value.requires_grad:
                raise OWN_LOSS_GRADIENT(name=self.name)
            if learnt := [tensor for tensor in _learnt(value) if tensor is not output]:
                shapes = ", ".join(str(list(tensor.shape)) for tensor in learnt[:3])
                raise OWN_LOSS_PARAMETERS(name=self.name, shapes=shapes)
            with self._errors(output, y):
                (slope,) = torch.autograd.grad(value, output, allow_unused=True)
            if slope is None:
                raise OWN_LOSS_GRADIENT(name=self.name)
        return value.detach(), slope


def _learnt(value: Tensor) -> list[Tensor]:
    """The tensors that autograd would give the gradients of this value."""
    known, waiting, leaves = set(), [value.grad_fn], []
    while waiting:
        node = waiting.pop()
        if node is not None and node not in known:
            known.add(node)
            leaves += [node.variable] if hasattr(node, "variable") else []
            waiting += [before for before, _place in node.next_functions]
    return leaves


def check_own(loss: Loss, outputs: int, y: Tensor, weighted: bool = False) -> str:
    """Try a loss of the user's own on some targets, before anything is written; say how it is measured.

    y: targets in the loss's form. weighted: whether rows have weights.

    Raises:
        TreinoError: it can't be trained with.
    """
    own: OwnLoss | None = loss.kind.own
    if own is None:
        return ""
    shape = (outputs, *loss.axes) if loss.task == "classification" or not loss.axes else loss.axes
    output = torch.randn(len(y), *shape, generator=torch.Generator().manual_seed(0))
    if loss.classes:  # several targets of classes: the function gets one after the other
        output, y = loss.by_target(output, y)[0]
    own.check(output, y)
    if not own.couples(output, y):
        return ""
    if weighted:
        raise OWN_LOSS_ROWS(name=own.name)
    whole = _("{name} is no mean over rows: it is measured on all rows of a part at once.")
    if loss.batch_size:
        whole = _(
            "{name} is no mean over rows: it is measured on batches of {n} rows, the last of which has the "
            "rest, too."
        )
    return whole.format(name=own.name, n=loss.batch_size)


def is_batchable(loss: Loss, outputs: int, y: Tensor) -> bool:
    """Whether the kernel ``batched`` can derive this loss for many members at once, as autograd does alone.

    y: some targets in the loss's form.
    """
    if loss.kind.own is None:
        return True
    z_RCB = torch.randn(2, outputs, len(y), generator=torch.Generator().manual_seed(0))
    d_RCB, loss_R = torch.zeros_like(z_RCB), torch.zeros(2)
    try:
        (call,) = derivatives(loss, LossBuffers(z_RCB, y, d_RCB, loss_R))[1]
        losses = []
        for seed in range(2):
            with fork_rng(seed):
                call()
            losses.append(loss_R.clone())
        if not torch.equal(*(loss_R.nan_to_num() for loss_R in losses)):  # it draws anew in each step
            return False
        for z_CB, d_CB in zip(z_RCB, d_RCB, strict=True):
            output = z_CB.mT.clone().requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(loss(output, y), output)
            if not torch.allclose(slope.mT, d_CB, rtol=1e-4, atol=1e-6, equal_nan=True):
                return False
    except Exception:  # vmap refuses branches on values, random numbers, changes in place
        return False
    return True
