"""A convolution, compared with the layer that the course calls a convolution.

A kernel (a, b) is applied at two positions of the inputs 1, 2, −1. The targets are 3 and 1, which the kernel
(1, 1) gives.
"""

import torch
from torch import Tensor

from treino.base.formula import Symbol, value
from treino.base.words import _
from treino.inspection.microscope.explanation import Step, StepTable
from treino.inspection.microscope.paths import Net, named

X, TARGET, START, LR = (1.0, 2.0, -1.0), (3.0, 1.0), (2.0, -3.0), 0.05
SEEN = (0, 1, 10, 100)  # updates after which the loss is shown


def convolution() -> tuple[Net, tuple[Symbol, ...]]:
    """g(h₁(a, b), h₂(a, b)): the same two weights at both positions; each has two paths to g."""
    a, b = (Symbol(n, v) for n, v in zip("ab", START, strict=True))
    return _net((a, b), (a, b)), (a, b)


def own_weights() -> tuple[Net, tuple[Symbol, ...]]:
    """g(h₁(a, b), h₂(c, d)), as drawn in the course: each position has its own weights."""
    a, b, c, d = (Symbol(n, v) for n, v in zip("abcd", START * 2, strict=True))
    return _net((a, b), (c, d)), (a, b, c, d)


def _net(one: tuple[Symbol, Symbol], two: tuple[Symbol, Symbol]) -> Net:
    first, second = one[0] * X[0] + one[1] * X[1], two[0] * X[1] + two[1] * X[2]
    h1, h2 = named("h", first, "1"), named("h", second, "2")
    made = (h1 - TARGET[0]) ** 2 + (h2 - TARGET[1]) ** 2
    return Net({h1: first, h2: second, named("g", made): made})


def torch_convolution(kernel: Tensor) -> Tensor:
    x = torch.tensor(X, dtype=kernel.dtype)
    h = torch.nn.functional.conv1d(x.view(1, 1, -1), kernel.view(1, 1, -1)).flatten()
    return (h - torch.tensor(TARGET, dtype=kernel.dtype)).square().sum()


def slopes() -> Step:
    """The step with the slope of each weight in both networks, as a sum over the weight's paths."""
    rows: list[tuple[str | float | int, ...]] = []
    for kind, (net, by) in ((_("weights of their own"), own_weights()), (_("a convolution"), convolution())):
        for variable in by:
            ways = [value(net.along(path)) for path in net.paths(variable)]
            rows.append((kind, f"∂g/∂{variable.name}", len(ways), sum(ways)))
    text = _(
        "g(h₁(a, b), h₂(c, d)) is no convolution: every h has its own weights. A convolution uses the same "
        "weights at every place: g(h₁(a, b), h₂(a, b)), and then a and b have several ways to g, which are "
        "added up."
    )
    table = StepTable((_("network"), _("slope"), _("ways"), _("their sum")), tuple(rows))
    return Step(_("“A very simple convolutional network”"), text=text, table=table, wrong=True)


def trained() -> Step:
    """The step that compares training of the kernel with the slopes of all paths and of the first path
    alone."""
    rows: list[tuple[str | float | int, ...]] = []
    for name, ways in ((_("both ways, added up"), None), (_("by h₁ alone"), 1)):
        kernel, losses = list(START), list[float]()
        for _update in range(max(SEEN) + 1):
            a, b = (Symbol(n, v) for n, v in zip("ab", kernel, strict=True))
            net = _net((a, b), (a, b))
            losses.append(net.end.number)
            kernel = [
                s.number - LR * sum(value(net.along(path)) for path in list(net.paths(s))[:ways])
                for s in (a, b)
            ]
        rows.append((name, *(losses[t] for t in SEEN)))
    heads = (_("the slope of a and b"), *(_("loss after {t}").format(t=t) for t in SEEN))
    text = _(
        "The kernel from (2, −3), learning rate {lr:g}. By one way it learns for one place, and the error at "
        "the other stays as it is."
    ).format(lr=LR)
    title = _("What it does to training: one way of a convolution")
    return Step(title, text=text, table=StepTable(heads, tuple(rows)))
