"""The registry of losses: each one's torch class, formula, meaning of outputs, and settings that it reads."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from treino.base.formula import Expr, call
from treino.base.registry import Registry
from treino.base.words import N_
from treino.data.links import FORMS, Link, LinkKind, link_of
from treino.data.rows import IGNORED
from treino.engine.buffers import BufferCall, LossBuffers
from treino.engine.derived_losses import (
    derivatives,
    gamma,
    gaussian,
    least,
    poisson,
    poisson_input,
    quantile,
    quantile_constant,
    tweedie,
)
from treino.engine.loss_kernels import (
    bce,
    bce_constant,
    cross_entropy,
    cross_entropy_constant,
    cross_entropy_rows,
    cross_entropy_torch,
    huber,
    huber_constant,
    huber_slope,
    huber_term,
    l1,
    l1_constant,
    mse,
    mse_constant,
)
from treino.settings.spec import Settings

Task = Literal["classification", "regression"]
Taken = Callable[[Any, Tensor], Tensor | tuple[Tensor, ...]]


@dataclass(frozen=True)
class Loss:
    """A loss with its settings; its value is the mean over a batch, as torch defines it.

    name: a key of LOSSES. label_smoothing, class_weights: for cross-entropy (with weights a weighted mean).
    softmax_first: the deliberate fault ``softmax_before_cross_entropy``: cross-entropy of softmax(logits).
    classes: for several class targets, the number of classes of each: outputs are the logits of all, y is
    ``[B, K]``, and the loss is the mean of the targets' losses. of: the task, for a loss that has none of its
    own. metric: a metric that is measured beside the usual ones, "" for none. axes: those of each row's
    target, as of one at each position: the network returns ``[B, C, *axes]``, or ``[B, *axes]`` values, as
    torch's losses take them; evaluations hold ``[B, C * positions]``. levels: of the quantiles to learn.
    batch_size: the training's, by which a loss of the user's that couples rows is measured; None: all rows.
    measured: False for one of several targets, of which alone a loss of the user's is never called.
    """

    name: str
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    softmax_first: bool = False
    classes: tuple[int, ...] = ()
    of: Task = "classification"
    metric: str = ""
    axes: tuple[int, ...] = ()
    levels: tuple[float, ...] = ()
    batch_size: int | None = None
    measured: bool = True

    def __post_init__(self) -> None:
        LOSSES.key("loss", self.name)

    @property
    def kind(self) -> "LossKind":
        return LOSSES[self.name]

    @property
    def task(self) -> Task:
        return self.kind.task or self.of

    @property
    def of_classes(self) -> bool:
        """Whether targets are class numbers, with one output per class."""
        return self.task == "classification" and self.kind.outputs == 0

    @property
    def link(self) -> Link:
        """What outputs say of numbers."""
        return link_of(self.kind.link, self.levels)

    def outputs(self, targets: int) -> int:
        """The number of outputs that a network must have. targets: the classes, or the numbers of a row."""
        return self.kind.outputs or len(self.levels) or targets

    @cached_property
    def terms(self) -> "Terms | None":
        """Its arithmetic, for these levels of quantiles."""
        terms = self.kind.terms
        if terms is None or not self.levels:
            return terms
        return replace(terms, term=partial(terms.term, levels=self.levels))

    @property
    def by_row(self) -> bool:
        """Whether its arithmetic is of a row's outputs together, not of pairs of an output and a target."""
        return self.of_classes or self.link.joint

    @property
    def single(self) -> "Loss":
        """The loss of one target alone, or of one position."""
        return replace(self, classes=(), axes=(), measured=self.measured and not self.whole)

    @property
    def whole(self) -> bool:
        """Whether it is called with all outputs and targets of a row at once, in the shapes of training."""
        return self.kind.own is not None and not self.classes

    def as_trained(self, output: Tensor) -> Tensor:
        """Evaluations' outputs ``[B, C * positions]`` in the shape that the network returns."""
        if not self.axes:
            return output
        one = (-1, *self.axes) if self.task == "classification" else self.axes
        return output.reshape(len(output), *one)

    def constant_outputs(self, constant_C: Tensor, rows: int) -> Tensor:
        """The same outputs for each row, and at each position, in the shape that the network returns."""
        if not self.axes:
            return constant_C.expand(rows, -1)
        count = math.prod(self.axes)
        return self.as_trained(constant_C.repeat_interleave(count).expand(rows, -1))

    def by_target(self, output: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The outputs ``[..., C]`` and the values or class numbers of each target."""
        if self.axes:
            return [self.positions(output, y)[:2]]
        if self.classes:
            return list(zip(output.split(self.classes, -1), y.unbind(-1), strict=True))
        if self.task == "regression" and y.dim() > 1 and not self.link.joint:
            return list(zip(output.split(1, -1), y.split(1, -1), strict=True))
        return [(output, y)]

    def positions(
        self, output: Tensor, y: Tensor, weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Each position of targets with axes as a row: its outputs ``[..., N * positions, C]``, its target,
        and its row's weight; without positions whose class is -100."""
        count = math.prod(self.axes)
        output = output.unflatten(-1, (-1, count)).movedim(-1, -2).flatten(-3, -2)
        y = y.reshape(-1)
        if weight is not None:
            weight = weight.unsqueeze(-1).expand(*weight.shape, count).flatten(-2)
        if self.task == "regression":
            return output, y.unsqueeze(-1), weight
        known = y != IGNORED
        return output[..., known, :], y[known], None if weight is None else weight[..., known]

    def rows_of_positions(self, y: Tensor) -> Tensor:
        """The row of each of the ``positions``."""
        row_K = torch.arange(len(y)).repeat_interleave(math.prod(self.axes))
        return row_K if self.task == "regression" else row_K[y.reshape(-1).cpu() != IGNORED]

    def __call__(self, output: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss, a differentiable scalar. output: ``[B, C]``. y: ``[B]`` classes or ``[B, K]`` values.
        weight: the rows' weights ``[B]``; if all are 0, the loss is 0."""
        if self.classes:
            return torch.stack([self.single(*each, weight) for each in self.by_target(output, y)]).mean()
        kind = self.kind
        if weight is not None:
            each, mass = self.rows(output.flatten(1) if self.axes else output, y)
            weight = weight.to(each)
            total = (weight * mass.to(weight)).sum()
            return (weight * each).sum() / torch.where(total > 0, total, 1)
        if kind.criterion is None:
            return self.rows(output, y)[0].mean()
        return kind.mean(self, output, y) if kind.mean else kind.plain(output, y)

    def rows(self, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Each row's weighted loss, and its weight, ``[B]``; the loss is Σ losses / Σ weights."""
        if self.classes:
            each_K, weight_K = zip(
                *(self.single.rows(*each) for each in self.by_target(output, y)), strict=True
            )
            return torch.stack(each_K).mean(0), weight_K[0]
        if self.axes and not self.whole:
            at_K, y_K, _weight = self.positions(output, y)
            loss_K, mass_K = self.single.rows(at_K, y_K)
            row_K, none_N = self.rows_of_positions(y).to(loss_K.device), torch.zeros(len(y)).to(loss_K)
            return none_N.index_add(0, row_K, loss_K), none_N.index_add(0, row_K, mass_K.to(loss_K))
        kind = self.kind
        if kind.rows:
            return kind.rows(self, self.as_trained(output), y)
        each = kind.criterion(reduction="none")(output, y) if kind.criterion else self._terms(output, y)
        each = each.mean(dim=1) if each.dim() > 1 else each
        return each, torch.ones(len(y), dtype=torch.float64)

    def _terms(self, output: Tensor, y: Tensor) -> Tensor:
        """The formula of each pair ``[B, K]``, or of each row's outputs ``[B]``."""
        assert self.terms is not None
        pair: Any = (output.unbind(-1), y[..., 0]) if self.link.joint else (output, y)
        each: Any = self.terms.term(*pair)
        return cast(Tensor, each)

    def target(self, y: Tensor, dtype: torch.dtype) -> Tensor:
        """The targets for a kernel: class numbers ``[N]`` int64 (``[N, K]`` for several targets), or values
        ``[N, K]`` of this dtype; with axes, ``[N, *axes]``."""
        if self.axes:
            return (y.long() if self.task == "classification" else y.to(dtype)).reshape(len(y), *self.axes)
        if self.of_classes:
            return y.long() if self.classes else y.long().reshape(-1)
        return (y.unsqueeze(-1) if y.dim() == 1 else y).to(dtype)

    def best_constant(self, y: Tensor, weight: Tensor | None = None) -> float:
        """The smallest loss that a constant output reaches on these rows. weight: of each row, ``[N]``."""
        if self.classes:
            return sum(self.single.best_constant(y_N, weight) for y_N in y.unbind(-1)) / len(self.classes)
        y = y.detach().cpu()
        weight = torch.ones(len(y)) if weight is None else weight.detach().cpu()
        if self.axes and not self.whole:
            _none, y, weight = self.positions(y.reshape(len(y), -1), y, weight)
            return self.single.best_constant(y, weight)
        return self.kind.constant(self, y[weight > 0], weight[weight > 0].double())


@dataclass(frozen=True)
class Terms:
    """A loss as a formula: the mean of its terms.

    term(output, y): the term for an output and its target; for classification, and for several
    outputs of one target, for the tuple of a row's outputs and its class number or target. The formula may
    differ by the sign or size of the error, output minus y; kinks: the errors at which its slope jumps or
    bends. slope(output, y): the term's derivative by the output, if shorter than the chain rule gives. about,
    slope_about: term and slope in words (``N_``).
    """

    term: Callable[..., Expr]
    about: str
    slope_about: str
    slope: Callable[..., Expr] | None = None
    kinks: tuple[float, ...] = ()


@dataclass(frozen=True)
class LossKind:
    """An entry of the registry.

    task: the task it is for; None: both. own: the ``OwnLoss`` of a function that treino doesn't know.
    criterion: a class of torch.nn, or one with the same argument ``reduction`` (``mean``, ``none``), whose
    source is then copied into exported scripts; None: the loss is the mean of its ``terms``.
    build(loss, buffers): returns (calls per new y and weights, calls per forward pass); ``mean_of`` takes the
    weighted mean over rows. constant(loss, y, weight): the loss of the best constant output; weight ``[N]``
    is that of the rows.
    about: its description, marked with ``N_``. note: a comment on the loss in exported scripts.
    terms: its arithmetic, for explanations; None if the microscope has its own file for this loss.
    outputs: the network's number of outputs; 0: C for C classes, K for K targets.
    link: what outputs say of a number, by which targets are prepared. power: of a Tweedie distribution, whose
    variance is the mean to this power: 1 is Poisson's, 2 the gamma distribution's. lowest: the
    lowest target.
    torch: torch's other losses of the same meaning by their names, each with a function (module, output)
    that returns what it takes instead of outputs.
    reads: the settings it uses, out of ``label_smoothing``, ``class_weights`` and
    ``softmax_before_cross_entropy``. A loss with settings also has ``function`` (torch's function with these
    settings), mean(loss, output, y), and rows(loss, output, y), which returns (loss ``[B]``, weight ``[B]``).
    """

    task: Task | None
    criterion: type[nn.Module] | None
    build: Callable[[Loss, LossBuffers], tuple[list[BufferCall], list[BufferCall]]] = derivatives
    constant: Callable[[Loss, Tensor, Tensor], float] = least
    about: str = ""
    terms: Terms | None = None
    outputs: int = 0
    link: LinkKind = "identity"
    lowest: float = -math.inf
    power: float | None = None
    note: str = ""
    torch: Mapping[str, Taken] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    function: str = ""
    mean: Callable[[Loss, Tensor, Tensor], Tensor] | None = None
    rows: Callable[[Loss, Tensor, Tensor], tuple[Tensor, Tensor]] | None = None
    own: Any = None

    @property
    def of_classes(self) -> bool:
        """Whether targets are class numbers, with one output per class."""
        return self.task == "classification" and self.outputs == 0

    @property
    def joint(self) -> bool:
        """Whether several outputs are of one target."""
        return FORMS[self.link].joint

    @property
    def class_name(self) -> str:
        return "" if self.criterion is None else self.criterion.__name__

    @cached_property
    def plain(self) -> nn.Module:
        """The criterion with default settings."""
        assert self.criterion is not None
        return self.criterion()


def _of_mean(
    formula: Callable[..., Any],
    power: float,
    lowest: float,
    about: str,
    term: str,
    slope: str,
    torch: Mapping[str, Taken] | None = None,
) -> LossKind:
    """A loss whose output is the logarithm of the mean of a Tweedie distribution. term, slope: in words."""
    return LossKind(
        "regression",
        None,
        about=about,
        terms=Terms(formula, term, slope),
        link="exp",
        power=power,
        lowest=lowest,
        note="takes the logarithm of the mean",
        torch=torch or {},
    )


LOSSES: Registry[LossKind] = Registry(
    {
        "cross_entropy": LossKind(
            "classification",
            nn.CrossEntropyLoss,
            cross_entropy,
            cross_entropy_constant,
            N_("cross-entropy of the outputs [B, C] and the class numbers [B]"),
            note="takes logits: the softmax is in it",
            torch={"NLLLoss": lambda module, output: output.log_softmax(1)},
            reads=("label_smoothing", "class_weights", "softmax_before_cross_entropy"),
            function="F.cross_entropy",
            mean=cross_entropy_torch,
            rows=cross_entropy_rows,
        ),
        "bce": LossKind(
            "classification",
            nn.BCEWithLogitsLoss,
            bce,
            bce_constant,
            N_("binary cross-entropy of one output for two classes"),
            outputs=1,
            note="takes a logit: the sigmoid is in it",
            torch={"BCELoss": lambda module, output: output.sigmoid()},
        ),
        "mse": LossKind(
            "regression",
            nn.MSELoss,
            mse,
            mse_constant,
            N_("the mean squared error"),
            Terms(
                lambda output, y: (output - y) ** 2,
                N_("the error squared"),
                N_("twice the error"),
                slope=lambda output, y: 2 * (output - y),
            ),
        ),
        "l1": LossKind(
            "regression",
            nn.L1Loss,
            l1,
            l1_constant,
            N_("the mean absolute error"),
            Terms(
                lambda output, y: call("abs", output - y),
                N_("the size of the error"),
                N_("its sign: 1, −1, or 0 where there is no error"),
                slope=lambda output, y: call("sign", output - y),
                kinks=(0.0,),
            ),
        ),
        "huber": LossKind(
            "regression",
            nn.HuberLoss,
            huber,
            huber_constant,
            N_("squared for errors of at most 1, absolute beyond"),
            Terms(
                huber_term,
                N_("half the square of a small error (at most 1), the size less ½ of a large one"),
                N_("a small error itself, the sign of a large one"),
                slope=huber_slope,
                kinks=(-1.0, 1.0),
            ),
            torch={"SmoothL1Loss": lambda module, output: output},
        ),
        "poisson": _of_mean(
            poisson,
            1,
            0.0,
            N_("minus the log-likelihood of a Poisson distribution, for counts"),
            N_("the predicted mean, less the target times the output"),
            N_("the predicted mean less the target"),
            {"PoissonNLLLoss": poisson_input},
        ),
        "gamma": _of_mean(
            gamma,
            2,
            math.ulp(0.0),
            N_("minus the log-likelihood of a gamma distribution, for numbers above 0"),
            N_("the output, plus the target over the predicted mean"),
            N_("1 less the target over the predicted mean"),
        ),
        "tweedie": _of_mean(
            tweedie,
            1.5,
            0.0,
            N_("minus the log-likelihood of a Tweedie distribution of power 1.5, for amounts often 0"),
            N_("twice the root of the predicted mean, plus twice the target over that root"),
            N_("the root of the predicted mean, less the target over that root"),
        ),
        "quantile": LossKind(
            "regression",
            None,
            constant=quantile_constant,
            about=N_("the error, weighted so that a given share of the targets lies below each output"),
            terms=Terms(
                quantile,
                N_("each error times its level where the target lies above, else times the level less 1"),
                N_("minus the level where the target lies above, else 1 less the level; over their number"),
                kinks=(0.0,),
            ),
            link="quantiles",
            reads=("quantiles",),
        ),
        "gaussian": LossKind(
            "regression",
            None,
            about=N_("minus the log-likelihood of a normal distribution, whose mean and variance are learnt"),
            terms=Terms(
                gaussian,
                N_("half of: the squared error over the variance, plus the variance's logarithm"),
                N_("the error over the variance; or half of 1 less the squared error over the variance"),
            ),
            outputs=2,
            link="normal",
            note="takes the mean and the logarithm of the variance",
            torch={"GaussianNLLLoss": lambda module, output: (output[:, :1], output[:, 1:].exp())},
        ),
    },
    "treino.engine.own_losses",
)

QUANTILES = (0.1, 0.5, 0.9)


def link_for(s: Settings, loss: str | None) -> Link:
    """What outputs say of numbers under this loss; None: a usual one."""
    return link_of(LOSSES[loss].link if loss else "identity", quantile_levels(s, loss))


def quantile_levels(s: Settings, loss: str | None) -> tuple[float, ...]:
    """The levels of the quantiles that this loss learns; () for a loss without."""
    return (s.quantiles or QUANTILES) if loss and "quantiles" in LOSSES[loss].reads else ()
