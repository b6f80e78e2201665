"""The registry of optimizers: each one's in-place update of rows, formulas, and torch.optim class."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from treino.base.formula import Expr, Formula, Symbol, sqrt
from treino.base.registry import Registry
from treino.base.words import N_
from treino.settings.spec import Settings

# ---- formulas of one weight's update


@dataclass(frozen=True)
class UpdateInputs:
    """The inputs to the update of one weight.

    weight, gradient: after decay and clipping, with their symbols. state: optimizer state by torch's names, 0
    before the first update. hp: hyper-parameters, with the schedule applied to lr. t: the update's number,
    from 1.
    """

    weight: Symbol
    gradient: Symbol
    state: Mapping[str, float]
    hp: Mapping[str, float]
    t: int
    nesterov: bool = False


@dataclass(frozen=True)
class Line:
    """One line of an update.

    about: the line in words, marked with ``N_``. state: the name of the optimizer state set to the line's
    value. An update's last line gives the new weight.
    """

    about: str
    formula: Formula
    state: str = ""


def sgd(u: UpdateInputs) -> tuple[Line, ...]:
    """w ← w − η g, Robbins & Monro 1951; with momentum v ← μ v + g and w ← w − η v, as in torch (Sutskever et
    al. 2013); Nesterov: w − η (g + μ v)."""
    eta = Symbol("η", u.hp["lr"])
    if not u.hp["momentum"]:
        return (Line(N_("The new weight"), becomes(u.weight - eta * u.gradient)),)
    mu, before = Symbol("μ", u.hp["momentum"]), Symbol("v", u.state["momentum_buffer"], "t−1")
    velocity = Formula(Symbol("v", 0.0, "t"), mu * before + u.gradient)
    now = Symbol("v", velocity.value, "t")
    lines = [
        Line(N_("The velocity: the old one, slowed down, and the new gradient"), velocity, "momentum_buffer")
    ]
    way: Expr = now
    if u.nesterov:
        ahead = Formula(Symbol("d", 0.0, "t"), u.gradient + mu * now)
        lines.append(Line(N_("Nesterov: one slowed-down velocity further"), ahead))
        way = Symbol("d", ahead.value, "t")
    return (*lines, Line(N_("The new weight"), becomes(u.weight - eta * way)))


def adam(u: UpdateInputs) -> tuple[Line, ...]:
    """Kingma & Ba 2015, algorithm 1."""
    b1, b2, time = Symbol("β", u.hp["beta1"], "1"), Symbol("β", u.hp["beta2"], "2"), Symbol("t", float(u.t))
    g, m, v = u.gradient, Symbol("m", u.state["exp_avg"], "t−1"), Symbol("v", u.state["exp_avg_sq"], "t−1")
    first = Formula(Symbol("m", 0.0, "t"), b1 * m + (1 - b1) * g)
    second = Formula(Symbol("v", 0.0, "t"), b2 * v + (1 - b2) * g**2)
    mean, square = Symbol("m", first.value, "t"), Symbol("v", second.value, "t")
    first_hat = Formula(Symbol("m", 0.0, "t", hat=True), mean / (1 - b1**time))
    second_hat = Formula(Symbol("v", 0.0, "t", hat=True), square / (1 - b2**time))
    mean_hat = Symbol("m", first_hat.value, "t", hat=True)
    square_hat = Symbol("v", second_hat.value, "t", hat=True)
    new = becomes(
        u.weight - Symbol("η", u.hp["lr"]) * mean_hat / (sqrt(square_hat) + Symbol("ε", u.hp["eps"]))
    )
    return (
        Line(N_("The running mean of the gradient"), first, "exp_avg"),
        Line(
            N_("The running mean of its square: the gradient squared, no second derivative"),
            second,
            "exp_avg_sq",
        ),
        Line(N_("Both began at 0, so the first ones are too small; dividing corrects it"), first_hat),
        Line(N_("The same for the square. The corrected values are used once and not kept"), second_hat),
        Line(N_("The new weight"), new),
    )


def becomes(new: Expr) -> Formula:
    """The formula whose left side is the new weight."""
    return Formula(Symbol("w", 0.0, "t+1"), new)


# ---- the registry of optimizers


class UpdateNumbers(NamedTuple):
    """The numbers that one update of a block reads, ``[block, 1]``; None: not used."""

    lr: Tensor  # with the schedule
    weight_decay: Tensor | None
    momentum: Tensor | None
    beta1: Tensor
    beta2: Tensor
    eps: Tensor
    clip: Tensor | None
    less_beta1: Tensor  # 1 − β₁
    less_beta2: Tensor
    step_size: Tensor  # −lr / (1 − β₁ᵗ)
    correction: Tensor  # 1 / √(1 − β₂ᵗ)
    shrink: Tensor  # 1 − lr · weight_decay
    descent: Tensor  # −lr
    ema_share: Tensor  # the weights' share in their running average
    without_momentum: Tensor | None = None  # bool, if only some members have none


BETAS = (0.9, 0.999)
_DECIDED = {"lr": 3e-3, "beta1": BETAS[0], "beta2": BETAS[1], "clip": math.inf, "dropout": 0.0}
HP: dict[str, float] = {
    name: _DECIDED[name] if name in _DECIDED else Settings.model_fields[name].default
    for name in ("lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip", "dropout", "ema")
}
"""The hyper-parameters of a member, with their defaults."""
OFF = {"weight_decay": 0.0, "momentum": 0.0, "clip": math.inf}  # values at which they have no effect


def ema_limit(t: int) -> float:
    """The largest decay of a running average at update number t, so that it forgets the untrained first
    weights sooner. As in https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage."""
    return (1 + t) / (10 + t)


def _corrections(beta_R: Tensor, first: int, steps: int) -> Tensor:
    """1 − βᵗ, ``[S, R]``, by Python's power: vectorised powers round differently by array length."""
    values, place_R = beta_R.unique(return_inverse=True)
    table = [[1 - b**t for b in values.tolist()] for t in range(first + 1, first + steps + 1)]
    return torch.tensor(table, dtype=torch.float64)[:, place_R]


def block_numbers(
    hp: dict[str, Tensor], factor_SR: Tensor, first: int, dtype: torch.dtype, device: torch.device
) -> list[UpdateNumbers]:
    """One UpdateNumbers per step for a block of R members.

    factor_SR: the schedules' factors in float64. The numbers come from correctly rounded IEEE operations
    only, and are then rounded to ``dtype``.
    """
    steps = len(factor_SR)
    lr_SR = hp["lr"] * factor_SR
    used = {name: hp[name] if bool((hp[name] != off).any()) else None for name, off in OFF.items()}
    limit_S1 = torch.tensor([[ema_limit(first + s + 1)] for s in range(steps)], dtype=torch.float64)
    columns = {
        "lr": lr_SR,
        "beta1": hp["beta1"],
        "beta2": hp["beta2"],
        "eps": hp["eps"],
        "less_beta1": 1 - hp["beta1"],
        "less_beta2": 1 - hp["beta2"],
        "step_size": -lr_SR / _corrections(hp["beta1"], first, steps),
        "correction": 1 / _corrections(hp["beta2"], first, steps).sqrt(),
        "shrink": 1 - lr_SR * hp["weight_decay"],
        "descent": -lr_SR,
        "ema_share": 1 - torch.minimum(hp["ema"], limit_S1),
        **used,
    }
    ready: dict[str, list[Any]] = {
        name: [None] * steps
        if value is None
        else list(value.expand(steps, -1).to(dtype).to(device).unsqueeze(-1).unbind(0))
        for name, value in columns.items()
    }
    mixed = None
    if used["momentum"] is not None and bool((hp["momentum"] == 0).any()):
        mixed = (hp["momentum"] == 0).unsqueeze(-1).to(device)
    return [
        UpdateNumbers(**{name: values[s] for name, values in ready.items()}, without_momentum=mixed)
        for s in range(steps)
    ]


def clip_(g: Tensor, limit: Tensor) -> None:
    """Scale rows of gradients ``[..., n]`` down to the norm ``limit``, in place, as ``clip_grad_norm_`` does.

    Gradients with a norm that isn't finite stay unscaled: the member is diverging, and 0 · inf is NaN.
    """
    norm = torch.linalg.vector_norm(g, dim=-1, keepdim=True).add_(1e-6)
    g.mul_(torch.where(norm > limit, limit / norm, 1.0))


def _decayed(p: Tensor, g: Tensor, decay: Tensor | None, out: Tensor) -> Tensor:
    """Write g + decay · p into ``out``. g stays unchanged: later steps may add to it
    (``missing_zero_grad``)."""
    return g if decay is None else torch.addcmul(g, p, decay, out=out)


def _sgd(p: Tensor, g: Tensor, m: list[Tensor], n: UpdateNumbers, tmp: list[Tensor], nesterov: bool) -> None:
    """Sutskever et al. 2013 in torch's form: v ← μ v + g; p ← p − lr v, Nesterov: p ← p − lr (g + μ v)."""
    g = _decayed(p, g, n.weight_decay, tmp[0])
    if n.momentum is not None:
        velocity = torch.mul(m[0], n.momentum, out=tmp[1]).add_(g)
        if n.without_momentum is None:
            m[0].copy_(velocity)
            g = _decayed(velocity, g, n.momentum, tmp[0]) if nesterov else velocity
        else:  # without momentum the velocity stays unchanged, as for a member trained alone
            torch.where(n.without_momentum, m[0], velocity, out=m[0])
            if nesterov:
                velocity = _decayed(velocity, g, n.momentum, tmp[1])
            g = torch.where(n.without_momentum, g, velocity)
    p.addcmul_(g, n.descent)


def _adam(p: Tensor, g: Tensor, m: list[Tensor], n: UpdateNumbers, tmp: list[Tensor], nesterov: bool) -> None:
    """Kingma & Ba 2015, algorithm 1, with ε outside the corrected root, as in torch."""
    g = _decayed(p, g, n.weight_decay, tmp[0])
    m[0].lerp_(g, n.less_beta1)
    m[1].mul_(n.beta2)
    m[1].addcmul_(torch.mul(g, g, out=tmp[1]), n.less_beta2)
    root = torch.sqrt(m[1], out=tmp[1]).mul_(n.correction).add_(n.eps)
    p.addcmul_(torch.div(m[0], root, out=root), n.step_size)


def _adamw(
    p: Tensor, g: Tensor, m: list[Tensor], n: UpdateNumbers, tmp: list[Tensor], nesterov: bool
) -> None:
    """Loshchilov & Hutter 2019: weight decay shrinks the weights, not the gradient."""
    if n.weight_decay is not None:
        p.mul_(n.shrink)
    _adam(p, g, m, n._replace(weight_decay=None), tmp, nesterov)


UpdateRule = Callable[[Tensor, Tensor, list[Tensor], UpdateNumbers, list[Tensor], bool], None]


@dataclass(frozen=True)
class Optimizer:
    """An entry of the registry. states: torch's names of the state tensors, in the order of ``moments``.

    update(p, g, moments, numbers, spare, nesterov): in place on rows ``[..., n]``; g stays unchanged. torch:
    a class of torch.optim, or one with the same interface and HP's defaults, whose source is then copied into
    exported scripts. reads: the hyper-parameters it uses besides lr.
    about: its description, marked with ``N_``. lines: one weight's update, for explanations.
    own: the ``OwnOptimizer`` that treino only calls; update and lines then are None.
    decoupled: weight decay shrinks the weight and is no part of the gradient. adaptive: a step's length
    doesn't depend on the gradient's size.
    """

    states: tuple[str, ...]
    update: UpdateRule
    torch: type[torch.optim.Optimizer]
    reads: tuple[str, ...]
    about: str
    lines: Callable[[UpdateInputs], tuple[Line, ...]]
    decoupled: bool = False
    adaptive: bool = True
    own: Any = None


OPTIMIZERS: Registry[Optimizer] = Registry(
    {
        "sgd": Optimizer(
            ("momentum_buffer",),
            _sgd,
            torch.optim.SGD,
            ("weight_decay", "momentum", "nesterov"),
            N_("gradient descent, with momentum if wanted"),
            sgd,
            adaptive=False,
        ),
        "adam": Optimizer(
            ("exp_avg", "exp_avg_sq"),
            _adam,
            torch.optim.Adam,
            ("weight_decay", "betas", "eps"),
            N_("the gradient's running mean over the root of its running mean square"),
            adam,
        ),
        "adamw": Optimizer(
            ("exp_avg", "exp_avg_sq"),
            _adamw,
            torch.optim.AdamW,
            ("weight_decay", "betas", "eps"),
            N_("adam with weight decay beside the gradient"),
            adam,
            decoupled=True,
        ),
    },
    "treino.engine.own_optimizers",
)


def torch_settings(optimizer: str, hp: Mapping[str, float], nesterov: bool) -> dict[str, Any]:
    """A member's hyper-parameters besides lr, as the optimizer's class in torch takes them."""
    known = {
        "weight_decay": hp["weight_decay"],
        "momentum": hp["momentum"],
        "nesterov": nesterov and hp["momentum"] > 0,
        "betas": (hp["beta1"], hp["beta2"]),
        "eps": hp["eps"],
    }
    return {name: known[name] for name in OPTIMIZERS[optimizer].reads}


HP_OF = {
    "weight_decay": ("weight_decay",),
    "momentum": ("momentum",),
    "betas": ("beta1", "beta2"),
    "eps": ("eps",),
}


def unread(optimizer: str, reads: Collection[str] | None = None) -> list[str]:
    """The hyper-parameters that the optimizer doesn't use. reads: the settings that it reads."""
    reads = OPTIMIZERS[optimizer].reads if reads is None else reads
    return [name for setting, names in HP_OF.items() if setting not in reads for name in names]


def readers(name: str) -> list[str]:
    """Names of the optimizers that use this setting."""
    return [optimizer for optimizer, kind in OPTIMIZERS.items() if name in kind.reads]
