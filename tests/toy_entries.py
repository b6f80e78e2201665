"""Entries that treino doesn't have, one of each registry, written as its documentation asks for them."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treino.base.formula import Expr, Formula, Symbol, call, exp, ln, sqrt
from treino.data.builtins import Builtin, table_of
from treino.data.table import Table
from treino.engine.activations import Activation
from treino.engine.buffers import BufferCall, LossBuffers, mean_of
from treino.engine.init import Init
from treino.engine.losses import Loss, LossKind, Terms
from treino.engine.metrics import Metric, MetricInputs
from treino.engine.optim import Line, Optimizer, UpdateInputs, UpdateNumbers, becomes
from treino.engine.schedules import Schedule
from treino.reports.pictures import RunPicture

if TYPE_CHECKING:
    from treino.folders.stored_run import StoredRun

# ---- an activation: the bent identity


class Bent(nn.Module):
    """z + (√(z² + 1) − 1) / 2."""

    def forward(self, z):
        return z + (torch.sqrt(z * z + 1) - 1) / 2


BENT = Activation(
    Bent,
    lambda z, h: h.copy_(z + (torch.sqrt(z * z + 1) - 1) / 2),
    lambda d, z, h: d.mul_(1 + z / (2 * torch.sqrt(z * z + 1))),
    "a line that bends at 0",
    lambda z: z + (sqrt(z**2 + 1) - 1) / 2,
    in_place=False,
)

# ---- losses: of numbers, and of classes


class LogCosh(nn.Module):
    """ln cosh of the error, without overflow."""

    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, output, y):
        size = (output - y).abs()
        each = size + torch.log1p(torch.exp(-2 * size)) - math.log(2)
        return each.mean() if self.reduction == "mean" else each


def _log_cosh(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    def forward() -> None:
        e = s.z - s.y.mT
        size = e.abs()
        torch.sub(size + torch.log1p(torch.exp(-2 * size)), math.log(2), out=term)
        torch.tanh(e, out=s.d)

    begin, mean = mean_of(s, term := torch.empty_like(s.z))
    return begin, [forward, *mean]


def _log_cosh_term(output: Expr, y: Expr) -> Expr:
    size = call("abs", output - y)
    return size + ln(1 + exp(-2 * size)) - ln(2.0)


LOG_COSH = LossKind(
    "regression",
    LogCosh,
    _log_cosh,
    lambda loss, y, weight: float(LogCosh()(y.double().mean(0).expand_as(y), y.double())),
    "the logarithm of the error's hyperbolic cosine",
    Terms(_log_cosh_term, "ln cosh of the error", "its hyperbolic tangent"),
)


class Focal(nn.Module):
    """(1 − p)² of cross-entropy, p of the row's own class (Lin et al. 2017)."""

    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, output, y):
        ce = F.cross_entropy(output, y, reduction="none")
        each = (1 - torch.exp(-ce)) ** 2 * ce
        return each.mean() if self.reduction == "mean" else each


def _focal(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    def forward() -> None:
        classes = s.z.shape[-2]
        logp = torch.log_softmax(s.z, -2)
        own = F.one_hot(s.y, classes).T.to(s.z.dtype)
        ln_p = (logp * own).sum(-2, keepdim=True)
        p = ln_p.exp()
        torch.mul((1 - p) ** 2, -ln_p, out=term)
        by_ln_p = 2 * (1 - p) * p * ln_p - (1 - p) ** 2
        torch.mul(by_ln_p, own - logp.exp(), out=s.d)

    begin, mean = mean_of(s, term := torch.empty_like(s.z[:, :1]))
    return begin, [forward, *mean]


def _focal_term(z: Sequence[Expr], label: int) -> Expr:
    total = exp(z[0])
    for each in z[1:]:
        total = total + exp(each)
    p = exp(z[label]) / total
    return -((1 - p) ** 2 * ln(p))


FOCAL = LossKind(
    "classification",
    Focal,
    _focal,
    lambda loss, y, weight: float(Focal()(torch.bincount(y).double().log().expand(len(y), -1), y)),
    "cross-entropy that looks away from rows that are sure and right",
    Terms(
        _focal_term, "less of −ln p, the surer the row is of its class", "what that changes with the output"
    ),
)


class Brier(nn.Module):
    """The squared error of the probability of class 1, of one logit (Brier 1950)."""

    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, output, y):
        each = (output.sigmoid() - y) ** 2
        return each.mean() if self.reduction == "mean" else each


def _brier(loss: Loss, s: LossBuffers) -> tuple[list[BufferCall], list[BufferCall]]:
    def forward() -> None:
        p = s.z.sigmoid()
        torch.square(p - s.y.mT, out=term)
        torch.mul((p - s.y.mT) * p, 1 - p, out=s.d)

    begin, mean = mean_of(s, term := torch.empty_like(s.z), 2)
    return begin, [forward, *mean]


BRIER = LossKind(
    "classification",
    Brier,
    _brier,
    lambda loss, y, weight: float(y.double().mean() * (1 - y.double().mean())),
    "the squared error of the probability",
    Terms(lambda z, y: (call("σ", z) - y) ** 2, "the probability's error squared", "how that changes with z"),
    outputs=1,
)

# ---- an optimizer


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023: steps of one size, by the sign of a running mean."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                mean = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.lerp(p.grad, mean, group["betas"][0]).sign(), alpha=-group["lr"])
                mean.lerp_(p.grad, 1 - group["betas"][1])


def _lion(p: Tensor, g: Tensor, m: list[Tensor], n: UpdateNumbers, tmp: list[Tensor], nesterov: bool) -> None:
    if n.weight_decay is not None:
        p.mul_(n.shrink)
    p.add_(torch.lerp(g, m[0], n.beta1).sign() * -n.lr)
    m[0].lerp_(g, n.less_beta2)


def _lion_lines(u: UpdateInputs) -> tuple[Line, ...]:
    b1, b2 = Symbol("β", u.hp["beta1"], "1"), Symbol("β", u.hp["beta2"], "2")
    mean = Symbol("m", u.state["exp_avg"], "t−1")
    way = Formula(Symbol("c", 0.0, "t"), b1 * mean + (1 - b1) * u.gradient)
    kept = Formula(Symbol("m", 0.0, "t"), b2 * mean + (1 - b2) * u.gradient)
    new = u.weight - Symbol("η", u.hp["lr"]) * call("sign", Symbol("c", way.value, "t"))
    return (
        Line("Which way: the mean with more of this gradient", way),
        Line("The mean that is kept", kept, "exp_avg"),
        Line("The new weight: one step by the sign alone", becomes(new)),
    )


LION_ABOUT, LION_READS = "steps of one size by the sign of a mean", ("weight_decay", "betas")
SIGN_MEAN = Optimizer(("exp_avg",), _lion, Lion, LION_READS, LION_ABOUT, _lion_lines, decoupled=True)

# ---- a schedule, an initialisation, metrics

LINEAR = Schedule(lambda progress: 1 - progress, "a line to 0", "1 - progress")
SMALL = Init(
    lambda t, g, act: t.normal_(0, 0.3, generator=g),
    "normal with deviation 0.3",
    "nn.init.normal_(layer.weight, std=0.3, generator=g)",
)


def _medae(inputs: MetricInputs) -> Tensor:
    return torch.stack([e.abs().median() * inputs.scale for e in inputs.error_RN])


def _lowest_recall(inputs: MetricInputs) -> Tensor:
    right_RN = (inputs.guess_RN == inputs.y).double()
    return torch.stack([right_RN[:, inputs.y == c].mean(-1) for c in inputs.y.unique()]).min(0).values


MEDAE = Metric(
    "regression",
    -1,
    _medae,
    "the median absolute error",
    "error.abs().median().item() * unit",
    charted=True,
)


def lowest_recall(guess: Tensor, label: Tensor) -> Tensor:
    """The share of right rows of each class, and the smallest of them."""
    return torch.stack([(guess == label)[label == c].double().mean() for c in label.unique()]).min()


RECALL_ABOUT, RECALL_CODE = "the recall of the class found least", "lowest_recall({guess}, {label}).item()"
RECALL = "classification", 1, _lowest_recall, RECALL_ABOUT, RECALL_CODE, lowest_recall
LOWEST_RECALL = Metric(*RECALL, label="lowest recall", share=True)

# ---- a data set


def _bowl(classes: tuple[str, ...], name: str) -> Table:
    random = np.random.RandomState(1)
    x_N2 = random.uniform(-1, 1, (60, 2))
    height_N = (x_N2**2).sum(1) + random.normal(0, 0.05, 60)
    return table_of(name, ["x1", "x2"], x_N2, (height_N > 0.6).astype(int) if classes else height_N, classes)


BOWL = Builtin(60, 2, "regression", "How high a bowl is, with noise.", partial(_bowl, ()))
RIM = Builtin(60, 2, "classification", "Inside a bowl or on its rim.", partial(_bowl, ("inside", "rim")))


# ---- a picture


def ranks(run: "StoredRun") -> list[tuple[str, bytes]]:
    """The losses of the run from the largest to the smallest."""
    from treino.plots.style import look, new_figure, png

    with look():
        figure = new_figure()
        figure.subplots().plot(np.sort(run.losses)[::-1])
        lowest = f"{min(run.losses):.6g}"
        return [("ranks.png", png(figure)), ("ranks.txt", lowest.encode())]


RANKS = RunPicture(ranks, ("ranks.png", "ranks.txt"))
