"""Optimizers beside treino's own: torch's by name, other packages', and the user's classes and functions.

Such an optimizer is a class (or a ``functools.partial`` of one) that is called with the parameters, or a
function that is called with the network and returns an optimizer, so that it can make groups of parameters.
The kernel ``module`` trains with it; its state is kept as bytes, so that a training resumes bit for bit.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.own_calls import own_call
from treino.base.own_objects import called_by, kept
from treino.base.registry import OwnKind
from treino.base.words import N_
from treino.engine.optim import HP, OPTIMIZERS, Optimizer
from treino.engine.rng import fork_rng
from treino.engine.user_module import module_copy
from treino.settings.setting_types import explained
from treino.settings.spec import Settings

OWN_OPTIMIZER_FAILS = Refusal(
    "The optimizer {name} fails: {cause}",
    "Give a class of torch.optim, its arguments by functools.partial; or a function that is called with the"
    " network and returns an optimizer.",
)
OWN_OPTIMIZER_UPDATE = Refusal(
    "The optimizer {name} fails in update {update}: {cause}", "Its step() is called after each batch."
)
OWN_OPTIMIZER_KIND = Refusal(
    "The optimizer {name} is a {kind}, and not a torch.optim.Optimizer.",
    "Return torch.optim.SGD(net.parameters()).",
)
OWN_OPTIMIZER_STATE = Refusal(
    "The optimizer {name} has a state that can't be saved: a training that resumes would go another way.",
    "Keep it as tensors or numbers in self.state[p] or in its groups, all from the first update on.",
)
OWN_OPTIMIZER_VALUE = Refusal(
    "The optimizer {name} can't go on with {what}: {cause}", "Set another value, or begin with this one."
)
OWN_OPTIMIZER_DEFAULT = Refusal(
    "In the first group of the optimizer {name}, from which settings come, {why}",
    "Give that group another value; parameters that shall stay are frozen by requires_grad_(False).",
)
OWN_OPTIMIZER_PARAMETERS = Refusal(
    "The optimizer {name} leaves {left} out, which would never learn.",
    "Give it all of net.parameters(), or freeze those: net.out.requires_grad_(False).",
)

SETTINGS = "weight_decay", "momentum", "nesterov", "betas", "eps"
"""Settings that an own optimizer reads if its groups have them."""
LEAST_UPDATES, MOST_UPDATES, TRIED_NUMBERS = 6, 100, 2_000_000
"""Of the trial of an optimizer: fewer updates of large networks, so that all change about as many numbers."""
RESUMED = 0, 1, 3, 10, 30
"""The updates of the trial after which it is saved and loaded."""
FLAGS = "foreach", "fused", "capturable", "differentiable", "maximize", "amsgrad", "params"
AS_SET = "{}, as set"
"""The key in a group, beside a number that only this optimizer has, of what that was last set to. The number
itself may change in each update."""
_CLASSES = {name.lower(): kind for name, kind in vars(torch.optim).items() if inspect.isclass(kind)}
del _CLASSES["optimizer"]


def _optimizer(name: str, value: Any) -> Optimizer:
    own, about = OwnOptimizer(name, value), N_("a class of torch.optim, or a function of the network")
    unused: Any = None
    return Optimizer(("state",), unused, torch.optim.Optimizer, own.reads, about, unused, own=own)


OWN = OwnKind(
    "optimizer",
    _optimizer,
    lambda name: _CLASSES.get(name.lower()),
    lambda name: OPTIMIZERS.get(name.lower()),
    hint=N_("Others: a class of torch.optim, a function of the network, or FILE.py:NAME."),
)


@dataclass(frozen=True)
class StateValue:
    """One value of an optimizer's state: of parameter or group ``number``, with its key, type and shape."""

    of_group: bool
    number: int
    key: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    python: type | None = field(compare=False)  # of a plain number: an int may be set to a float

    @property
    def size(self) -> int:
        return max(1, torch.Size(self.shape).numel()) * self.dtype.itemsize


class OwnOptimizer:
    """What makes an optimizer of torch's interface. value: a class, a partial of one, or a function of the
    net; None: not there."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value

    @property
    def _class(self) -> Any:
        value = called_by(self.value)
        return value if inspect.isclass(value) else None

    @property
    def reads(self) -> tuple[str, ...]:
        """The settings besides lr that its class takes; those of all, for a function of the net."""
        if self._class is None:
            return SETTINGS
        takes = inspect.signature(self._class).parameters
        return tuple(name for name in SETTINGS if name in takes and _fits(name, takes[name].default))

    def make(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer of this module's free parameters.

        Raises:
            TreinoError: it can't be made, or leaves parameters out.
        """
        value = kept(self.name) if self.value is None else self.value
        free = {name: p for name, p in module.named_parameters() if p.requires_grad}
        with own_call(OWN_OPTIMIZER_FAILS.of_cause(name=self.name)):
            try:
                made = value(list(free.values())) if self._class is not None else value(module)
            except Exception as error:
                try:  # without a default rate
                    made = value(list(free.values()), **{"lr": 1e-3, **getattr(value, "keywords", {})})
                except Exception:
                    raise error from None
        if not isinstance(made, torch.optim.Optimizer):
            raise OWN_OPTIMIZER_KIND(name=self.name, kind=type(made).__name__)
        held = {id(p) for group in made.param_groups for p in group["params"]}
        if left := [name for name, p in free.items() if id(p) not in held]:
            raise OWN_OPTIMIZER_PARAMETERS(name=self.name, left=", ".join(left[:3]))
        for name, value in _numbers(made).items():
            for group in made.param_groups:
                group[AS_SET.format(name)] = value
        return made

    def defaults(self, module: nn.Module) -> tuple[dict[str, Any], dict[str, float]]:
        """Its own values, which are those of its first group: of settings, and of numbers that it alone
        has.

        Raises:
            TreinoError: a value that the setting can't have, such as a rate of 0.
        """
        made = self.make(module_copy(module))
        group = made.param_groups[0]
        found = {name: group[name] for name in ("lr", *self.reads) if name in group}
        found = {name: float(v) if isinstance(v, Tensor) else v for name, v in found.items()}
        found = {name: v for name, v in found.items() if name == "lr" or _fits(name, v)}
        try:
            Settings.model_validate(found)
        except ValidationError as error:
            why = explained(error.errors()[0], found, Settings).message
            raise OWN_OPTIMIZER_DEFAULT(name=self.name, why=why) from None
        return found, _numbers(made)

    def try_change(self, module: nn.Module, hp: Mapping[str, float]) -> None:
        """Try an update of a copy of the module before these hyper-parameters change, and one after.

        Raises:
            TreinoError: the optimizer's class refuses a value, or its update fails.
        """
        twin, drawn = module_copy(module), torch.Generator().manual_seed(0)
        made = self.make(twin)
        group = made.param_groups[0]
        changes: dict[str, Any] = {
            name: number_like(group[name], hp[name]) for name in hp.keys() & group.keys() - {"lr"}
        }
        if "betas" in group and hp.keys() & {"beta1", "beta2"}:
            first, second = group["betas"]
            changes["betas"] = (hp.get("beta1", first), hp.get("beta2", second))
        what = ", ".join(f"{name} {value}" for name, value in changes.items())
        with fork_rng(0), own_call(OWN_OPTIMIZER_VALUE.of_cause(name=self.name, what=what)):
            _draw_update(made, twin, drawn)
            for each in made.param_groups:
                each.update(changes)
            _draw_update(made, twin, drawn)
            if _takes(type(made), changes):
                type(made)(list(twin.parameters()), **changes)

    def form(self, module: nn.Module) -> tuple[StateValue, ...]:
        """The form of its state. Two copies get the same drawn gradients; one of them is saved, made anew and
        loaded on its way, as when a training resumes, and has the same weights after each update.

        Raises:
            TreinoError: it fails, its state changes its form, or a state that isn't saved changes weights.
        """
        whole, drawn = module_copy(module), torch.Generator().manual_seed(0)
        one = self.make(whole)
        rates = [group["lr"] for group in one.param_groups]
        twin, other, form = whole, one, tuple[StateValue, ...]()
        numbers = sum(p.numel() for p in module.parameters())
        updates = max(LEAST_UPDATES, min(MOST_UPDATES, TRIED_NUMBERS // numbers))
        for update in range(updates):
            seed = int(torch.randint(2**31, (), generator=drawn))
            for optimizer, copy in ((one, whole), (other, twin))[: 1 if other is one else 2]:
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate  # as before each update of a training
                with fork_rng(seed), own_call(OWN_OPTIMIZER_FAILS.of_cause(name=self.name)):
                    _draw_update(optimizer, copy, torch.Generator().manual_seed(seed))
            now = tuple(_values(one))
            pairs = zip(whole.state_dict().values(), twin.state_dict().values(), strict=True)
            equal = all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)
            if (update and now != form) or tuple(_values(other)) != now or not equal:
                raise OWN_OPTIMIZER_STATE(name=self.name)
            form = now
            if update in RESUMED:
                row = torch.zeros(form_bytes(form), dtype=torch.uint8)
                store_state(other, form, row)
                weights, twin = twin.state_dict(), module_copy(module)
                twin.load_state_dict(weights)
                other = self.make(twin)
                load_state(other, form, row)
        return form


def _takes(kind: type, arguments: Mapping[str, Any]) -> bool:
    """Whether the class can be called with parameters and these arguments alone."""
    try:
        inspect.signature(kind).bind([], **arguments)
    except TypeError:
        return False
    return True


def _draw_update(optimizer: torch.optim.Optimizer, module: nn.Module, drawn: torch.Generator) -> None:
    for p in module.parameters():
        if p.requires_grad:
            p.grad = torch.randn(p.shape, generator=drawn).to(p)
    with torch.no_grad():
        optimizer.step()


def _numbers(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The numbers among its defaults that are no setting and no hyper-parameter of treino's."""
    group = optimizer.param_groups[0]
    others = optimizer.defaults.keys() - {*FLAGS, *HP, *Settings.model_fields}
    numbers = {name: group[name] for name in optimizer.defaults if name in others}
    return {n: float(v) for n, v in numbers.items() if isinstance(v, int | float) and type(v) is not bool}


def number_like(before: object, value: float) -> int | float:
    """The value as an int where the number was one and the value is whole, as a count must be."""
    return int(value) if isinstance(before, int) and value.is_integer() else value


def _fits(name: str, value: object) -> bool:
    """Whether the value is of the kind that treino's setting of this name has."""
    if name == "betas":
        return isinstance(value, tuple) and len(value) == 2 and all(isinstance(b, float) for b in value)
    return isinstance(value, int | float)


def _holders(optimizer: torch.optim.Optimizer) -> dict[tuple[bool, int], dict[Any, Any]]:
    """``{(of_group, number): the values}``: the state of each parameter, and each group."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    holders = {(False, n): optimizer.state[p] for n, p in enumerate(parameters)}
    return holders | {(True, n): group for n, group in enumerate(optimizer.param_groups)}


def _values(optimizer: torch.optim.Optimizer) -> Iterator[StateValue]:
    for (of_group, number), values in _holders(optimizer).items():
        for key, value in sorted(values.items(), key=lambda pair: str(pair[0])):
            if of_group and (key in FLAGS or key in ("lr", "initial_lr", *SETTINGS)):
                continue
            if isinstance(value, Tensor):
                yield StateValue(of_group, number, key, value.dtype, tuple(value.shape), None)
            elif isinstance(value, int | float):
                yield StateValue(of_group, number, key, torch.float64, (), type(value))


def load_state(optimizer: torch.optim.Optimizer, form: Sequence[StateValue], row: Tensor) -> None:
    """Set the optimizer's state from a member's bytes."""
    holders, place = _holders(optimizer), 0
    for value in form:
        part = row[place : place + value.size].clone()
        place += value.size
        tensor = part.view(value.dtype).reshape(value.shape)
        holder = holders[value.of_group, value.number]
        if value.python is None:
            holder[value.key] = tensor
        else:
            number = tensor.item()
            holder[value.key] = number_like(0, number) if value.python is int else value.python(number)


def store_state(optimizer: torch.optim.Optimizer, form: Sequence[StateValue], row: Tensor) -> None:
    """Copy the optimizer's state into a member's bytes.

    Raises:
        TreinoError: it no longer has the form that it had before the training.
    """
    if tuple(_values(optimizer)) != form:
        raise OWN_OPTIMIZER_STATE(name=type(optimizer).__name__)
    holders, place = _holders(optimizer), 0
    for value in form:
        held = holders[value.of_group, value.number][value.key]
        tensor = torch.as_tensor(held, dtype=value.dtype).detach().cpu().contiguous().reshape(-1)
        row[place : place + value.size] = tensor.view(torch.uint8)
        place += value.size


def form_bytes(form: Sequence[StateValue]) -> int:
    """The size of a member's state."""
    return max(1, sum(value.size for value in form))
