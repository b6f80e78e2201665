"""Topic: backpropagation, the derivative as a sum over all paths, one line per path.

Its examples are the course's two functions of functions, and a convolution beside the layer that the course
calls one: a kernel (a, b) at two positions of the inputs 1, 2, −1. The targets are 3 and 1, which the kernel
(1, 1) gives.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise

import torch
from torch import Tensor, nn

from treino.base.formula import Expr, Formula, Symbol, derivative, value
from treino.base.words import N_, _
from treino_microscope.explanation import (
    Check,
    Edge,
    ExplanationPart,
    Graph,
    Step,
    StepTable,
    Topic,
    Worked,
    central,
    equation,
    relative,
)
from treino_microscope.paths import along_paths, product, short
from treino_microscope.reference import BACKPROP, torch_page

# ---- a net of quantities


@dataclass(frozen=True)
class Net:
    """A computational graph. nodes: ``{symbol: its formula}``, each after the quantities in its formula. All
    paths end at the last node."""

    nodes: Mapping[Symbol, Expr]

    @property
    def end(self) -> Symbol:
        return list(self.nodes)[-1]

    def users(self, of: Symbol) -> list[Symbol]:
        """The nodes whose formulas contain this quantity."""
        return [node for node, made in self.nodes.items() if of in _leaves(made)]

    def slope(self, of: Symbol, by: Symbol) -> Expr:
        """The local derivative ∂of/∂by."""
        return derivative(self.nodes[of], by)

    def paths(self, start: Symbol) -> Iterator[tuple[Symbol, ...]]:
        """Every path from ``start`` to the end, both included."""
        if start == self.end:
            yield (start,)
        for user in self.users(start):
            for rest in self.paths(user):
                yield (start, *rest)

    def along(self, path: Sequence[Symbol]) -> Expr:
        """The product of the local derivatives along a path, from its end to its start."""
        return product([self.slope(b, a) for a, b in pairwise(path)][::-1])

    def ways(self, start: Symbol) -> list[float]:
        """The number of each path from ``start``; their sum is the derivative."""
        return [value(self.along(path)) for path in self.paths(start)]

    def value(self, changed: Symbol, by: float) -> float:
        """The value of the last node if the input ``changed`` is increased by ``by``."""
        numbers = {changed: changed.number + by}
        for node, made in self.nodes.items():
            numbers[node] = value(made, numbers)
        return numbers[self.end]


def named(name: str, made: Expr, sub: str = "") -> Symbol:
    """A symbol with the value of the formula ``made``."""
    return Symbol(name, value(made), sub)


def _leaves(e: Expr) -> list[Symbol]:
    if isinstance(e, Symbol):
        return [e]
    return [s for a in getattr(e, "args", ()) for s in _leaves(a)]


# ---- the examples

Example = tuple[Net, tuple[Symbol, ...]]


def _symbols(names: str, numbers: Sequence[float]) -> tuple[Symbol, ...]:
    return tuple(Symbol(n, v) for n, v in zip(names, numbers, strict=True))


def separate() -> Example:
    """g(h₁(a, b), h₂(c, d)): every variable has one path to g."""
    a, b, c, d = by = _symbols("abcd", (2.0, -3.0, 0.5, 4.0))
    first, second = a * b, c * d**2
    h1, h2 = named("h", first, "1"), named("h", second, "2")
    end = (h1 + h2) ** 2
    return Net({h1: first, h2: second, named("g", end): end}), by


def shared() -> Example:
    """g(h(a, b), j(a, b), k(a, b)): every variable has three paths to g."""
    a, b = by = _symbols("ab", (2.0, -3.0))
    made = (a * b, a + b, a**2 + b)
    h, j, k = inner = tuple(named(n, of) for n, of in zip("hjk", made, strict=True))
    end = h * j + k
    return Net({**dict(zip(inner, made, strict=True)), named("g", end): end}), by


X, TARGET, START, LR = (1.0, 2.0, -1.0), (3.0, 1.0), (2.0, -3.0), 0.05


def convolution(kernel: Sequence[float] = START) -> Example:
    """g(h₁(a, b), h₂(a, b)): the same two weights at both positions; each has two paths to g."""
    a, b = by = _symbols("ab", kernel)
    return _two_positions((a, b), (a, b)), by


def own_weights() -> Example:
    """g(h₁(a, b), h₂(c, d)), as drawn in the course: each position has its own weights."""
    a, b, c, d = by = _symbols("abcd", START * 2)
    return _two_positions((a, b), (c, d)), by


def _two_positions(one: tuple[Symbol, Symbol], two: tuple[Symbol, Symbol]) -> Net:
    first, second = one[0] * X[0] + one[1] * X[1], two[0] * X[1] + two[1] * X[2]
    h1, h2 = named("h", first, "1"), named("h", second, "2")
    end = (h1 - TARGET[0]) ** 2 + (h2 - TARGET[1]) ** 2
    return Net({h1: first, h2: second, named("g", end): end})


def torch_separate(x: Tensor) -> Tensor:
    a, b, c, d = x.unbind()
    return (a * b + c * d**2) ** 2


def torch_shared(x: Tensor) -> Tensor:
    a, b = x.unbind()
    return a * b * (a + b) + a**2 + b


def torch_convolution(kernel: Tensor) -> Tensor:
    x = torch.tensor(X, dtype=kernel.dtype)
    h = nn.functional.conv1d(x.view(1, 1, -1), kernel.view(1, 1, -1)).flatten()
    return (h - torch.tensor(TARGET, dtype=kernel.dtype)).square().sum()


# ---- their paths


def _example() -> Worked:
    parts, checks = list[ExplanationPart](), list[Check]()
    same = _("A convolution, g(h₁(a, b), h₂(a, b)): the same weights at both places")
    for heading, name, (net, by), theirs in (
        (_("g(h₁(a, b), h₂(c, d)): one way each"), "g(h₁, h₂)", separate(), torch_separate),
        (_("g(h(a, b), j(a, b), k(a, b)): three ways each"), "g(h, j, k)", shared(), torch_shared),
        (same, _("convolution"), convolution(), torch_convolution),
    ):
        parts.append(ExplanationPart(heading, (*_forward(net), *_backward(net, by))))
        checks += _checks(name, net, by, theirs)
    return (*parts, _course()), checks


def _forward(net: Net) -> list[Step]:
    starts = sorted({s.name for made in net.nodes.values() for s in _leaves(made) if s not in net.nodes})
    edges = []
    for of, made in net.nodes.items():
        for by in dict.fromkeys(_leaves(made)):
            slope = value(net.slope(of, by))
            edges.append(Edge(_label(by), _label(of), short(slope), slope))
    inside = tuple(_label(s) for s in net.nodes if s != net.end)
    columns = (tuple(starts), inside, (_label(net.end),))
    picture = Graph(_("Who goes into whom, with the local slopes"), columns, tuple(edges))
    steps = [Step(_("Forward: {name}").format(name=_label(s)), Formula(s, of)) for s, of in net.nodes.items()]
    return [*steps, Step(_("The ways"), picture=picture)]


def _backward(net: Net, by: Sequence[Symbol]) -> list[Step]:
    """For each variable one line per path, then their sum."""
    steps = []
    for variable in by:
        for path in net.paths(variable):
            slopes = [_partial(net, b, a) for a, b in pairwise(path)][::-1]
            title = _("By the way {path}").format(path=" → ".join(_label(s) for s in path))
            steps.append(Step(title, Formula(product(slopes), net.along(path))))
        ways = net.ways(variable)
        if len(ways) > 1:
            terms: list[Expr] = [Symbol("p", way, str(n)) for n, way in enumerate(ways, 1)]
            title = _("All {n} ways together").format(n=len(ways))
            total = reduce(lambda p, q: p + q, terms)
            steps.append(Step(title, equation(f"∂{net.end.name}/∂{variable.name}", total)))
    return steps


def _checks(name: str, net: Net, by: Sequence[Symbol], theirs: Callable[[Tensor], Tensor]) -> Iterator[Check]:
    x = torch.tensor([s.number for s in by], dtype=torch.float64, requires_grad=True)
    theirs(x).backward()
    assert x.grad is not None
    for variable, reference in zip(by, x.grad.tolist(), strict=True):
        ours, what = sum(net.ways(variable)), f"∂g/∂{variable.name}, {name}"
        difference = central(partial(net.value, variable))
        yield Check(_("{what}: torch.autograd").format(what=what), ours, reference, relative(ours, 1.0))
        title = _("{what}: central difference").format(what=what)
        yield Check(title, ours, difference, 1e-6 * max(1.0, abs(ours)))


def _partial(net: Net, of: Symbol, by: Symbol) -> Symbol:
    return Symbol(f"∂{_label(of)}/∂{_label(by)}", value(net.slope(of, by)))


def _label(s: Symbol) -> str:
    return s.name + {"": "", "1": "₁", "2": "₂"}[s.sub]


# ---- the course's wrong statements, refuted on the same examples


def _course() -> ExplanationPart:
    net, (a, _b) = shared()
    first = next(net.paths(a))
    alone = net.along(first)
    text = _(
        "∂g/∂a = ∂g/∂h · ∂h/∂a is right where a has one way to g. Here it has three, and this one alone "
        "gives {alone:g} where the derivative is {whole:g}."
    ).format(alone=value(alone), whole=sum(net.ways(a)))
    formula = Formula(_partial(net, net.end, first[1]) * _partial(net, first[1], a), alone)
    every = _(
        "Every layer has its own. A plain network of 2 inputs, 3 hidden units and 1 output, and the size of "
        "the gradient in each of its parameters, by torch:"
    )
    small = _small_network()
    (small(torch.tensor([[1.0, -2.0]], dtype=torch.float64)) - 1).square().mean().backward()
    rows = tuple(
        (n, p.numel(), float(p.grad.norm())) for n, p in small.named_parameters() if p.grad is not None
    )
    sizes = StepTable((_("parameter"), _("numbers"), _("length of its gradient")), rows)
    only_first = _("“Only the first layer receives only parameters of the model”")
    return ExplanationPart(
        _("What the course says, and what is so"),
        (
            Step(_("The chain rule with one way only"), formula, text, wrong=True),
            _no_convolution(),
            trained(),
            Step(only_first, text=every, table=sizes, wrong=True),
            _first_layer_alone(),
        ),
        taught=True,
    )


def _no_convolution() -> Step:
    """The step with the slope of each weight in both networks, as a sum over the weight's paths."""
    rows = tuple(
        (kind, f"∂g/∂{variable.name}", len(net.ways(variable)), sum(net.ways(variable)))
        for kind, (net, by) in (
            (_("weights of their own"), own_weights()),
            (_("a convolution"), convolution()),
        )
        for variable in by
    )
    text = _(
        "g(h₁(a, b), h₂(c, d)) is no convolution: every h has its own weights. A convolution uses the same "
        "weights at every place: g(h₁(a, b), h₂(a, b)), and then a and b have several ways to g, which are "
        "added up."
    )
    table = StepTable((_("network"), _("slope"), _("ways"), _("their sum")), rows)
    return Step(_("“A very simple convolutional neural network”"), text=text, table=table, wrong=True)


def _losses_table(heading: str, seen: Sequence[int], losses: Mapping[str, Sequence[float]]) -> StepTable:
    """The loss after some of the updates of each training."""
    heads = (heading, *(_("loss after {t}").format(t=t) for t in seen))
    return StepTable(heads, tuple((name, *(of[t] for t in seen)) for name, of in losses.items()))


def trained() -> Step:
    """The step that compares training of the kernel with the slopes of all paths and of the first path
    alone."""
    losses: dict[str, list[float]] = {}
    for name, ways in ((_("both ways, added up"), None), (_("by h₁ alone"), 1)):
        kernel, losses[name] = list(START), []
        for _update in range(101):
            net, by = convolution(kernel)
            losses[name].append(net.end.number)
            kernel = [s.number - LR * sum(net.ways(s)[:ways]) for s in by]
    text = _(
        "The kernel from (2, −3), learning rate {lr:g}. By one way it learns for one place, and the error at "
        "the other stays as it is."
    ).format(lr=LR)
    table = _losses_table(_("the slope of a and b"), (0, 1, 10, 100), losses)
    return Step(_("What it does to training: one way of a convolution"), text=text, table=table)


def _first_layer_alone() -> Step:
    """Training of all layers compared with the first layer alone, on the exclusive or of two inputs."""
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float64)
    losses: dict[str, list[float]] = {}
    for name, taught in ((_("all layers"), 4), (_("the first layer alone"), 2)):
        net, losses[name] = _small_network(), []
        parameters = list(net.parameters())[:taught]
        for _update in range(1001):
            loss = (net(x) - y).square().mean()
            losses[name].append(float(loss.detach()))
            for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                p.data.sub_(0.3 * g)
    text = _("The exclusive or of two inputs, the same network from the same start, learning rate 0.3.")
    table = _losses_table(_("what is trained"), (0, 100, 1000), losses)
    return Step(_("What it does to training: the first layer only"), text=text, table=table)


def _small_network() -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()


TOPIC = Topic(
    "backprop",
    N_("the chain rule as a sum over all paths, one line a path"),
    N_("backprop: the sum over all paths"),
    N_("A derivative follows every way from a weight to the loss: multiply along a way, add the ways up."),
    (BACKPROP, torch_page("torch.Tensor.backward")),
    _example,
    along_paths,
)
