"""Topic: backpropagation, the derivative as a sum over all paths, one line per path."""

from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor

from treino.base.formula import Expr, Formula, Symbol, series, value
from treino.base.words import N_, _, numeral
from treino.inspection.microscope.convolution import convolution, slopes, torch_convolution, trained
from treino.inspection.microscope.explanation import (
    Check,
    Edge,
    Explanation,
    ExplanationPart,
    Graph,
    Step,
    StepTable,
    Topic,
    relative,
)
from treino.inspection.microscope.paths import Net, NetworkPath, Paths, named, net_paths, product, totals
from treino.inspection.microscope.reference import BACKPROP, torch_page
from treino.inspection.microscope.run_explanation import to_the_gradient
from treino.inspection.microscope.update import Update

SOURCES = (BACKPROP, torch_page("torch.Tensor.backward"))
H = 1e-6
SEEN = (0, 100, 1000)  # updates after which the loss is shown


# ---- the course's two examples


def separate() -> tuple[Net, tuple[Symbol, ...]]:
    """g(h₁(a, b), h₂(c, d)): every variable has one path to g."""
    a, b, c, d = (Symbol(n, v) for n, v in zip("abcd", (2.0, -3.0, 0.5, 4.0), strict=True))
    h1, h2 = named("h", a * b, "1"), named("h", c * d**2, "2")
    g = named("g", (h1 + h2) ** 2)
    return Net({h1: a * b, h2: c * d**2, g: (h1 + h2) ** 2}), (a, b, c, d)


def shared() -> tuple[Net, tuple[Symbol, ...]]:
    """g(h(a, b), j(a, b), k(a, b)): every variable has three paths to g."""
    a, b = Symbol("a", 2.0), Symbol("b", -3.0)
    h, j, k = named("h", a * b), named("j", a + b), named("k", a**2 + b)
    g = named("g", h * j + k)
    return Net({h: a * b, j: a + b, k: a**2 + b, g: h * j + k}), (a, b)


def torch_separate(x: Tensor) -> Tensor:
    a, b, c, d = x.unbind()
    return (a * b + c * d**2) ** 2


def torch_shared(x: Tensor) -> Tensor:
    a, b = x.unbind()
    return a * b * (a + b) + a**2 + b


def example() -> Explanation:
    one, four = separate()
    three, two = shared()
    kernel, places = convolution()
    return Explanation(
        "backprop",
        _("backprop: the sum over all paths"),
        _("A derivative follows every way from a weight to the loss: multiply along a way, add the ways up."),
        (
            ExplanationPart(
                _("g(h₁(a, b), h₂(c, d)): one way each"), (*_forward(one), *_backward(one, four))
            ),
            ExplanationPart(
                _("g(h(a, b), j(a, b), k(a, b)): three ways each"), (*_forward(three), *_backward(three, two))
            ),
            ExplanationPart(
                _("A convolution, g(h₁(a, b), h₂(a, b)): the same weights at both places"),
                (*_forward(kernel), *_backward(kernel, places)),
            ),
            _course(three, two[0]),
        ),
        (
            *_checks("g(h₁, h₂)", one, four, torch_separate),
            *_checks("g(h, j, k)", three, two, torch_shared),
            *_checks(_("convolution"), kernel, places, torch_convolution),
        ),
        SOURCES,
    )


def _forward(net: Net) -> tuple[Step, ...]:
    starts = sorted({s.name for made in net.nodes.values() for s in _leaves(made) if s not in net.nodes})
    inside = [_label(s) for s in net.nodes if s != net.end]
    edges = tuple(
        Edge(_label(by), _label(of), _short(value(net.slope(of, by))), value(net.slope(of, by)))
        for of, made in net.nodes.items()
        for by in dict.fromkeys(_leaves(made))
    )
    picture = Graph(
        _("Who goes into whom, with the local slopes"),
        (tuple(starts), tuple(inside), (_label(net.end),)),
        edges,
    )
    steps = [
        Step(_("Forward: {name}").format(name=_label(s)), Formula(s, made)) for s, made in net.nodes.items()
    ]
    return (*steps, Step(_("The ways"), picture=picture))


def _backward(net: Net, by: tuple[Symbol, ...]) -> tuple[Step, ...]:
    """For each variable one line per path, then their sum."""
    steps = []
    for variable in by:
        ways = list(net.paths(variable))
        parts = []
        for path in ways:
            slopes = [_partial(net, b, a) for a, b in pairwise(path)][::-1]
            route = " → ".join(_label(s) for s in path)
            local = net.along(path)
            steps.append(
                Step(
                    _("By the way {path}").format(path=route),
                    Formula(product(slopes), local),
                )
            )
            parts.append(value(local))
        if len(ways) > 1:
            terms: tuple[Expr, ...] = tuple(Symbol("p", part, str(n + 1)) for n, part in enumerate(parts))
            total: Expr = reduce(lambda p, q: p + q, terms)
            title = _("All {n} ways together").format(n=len(ways))
            steps.append(Step(title, Formula(Symbol(f"∂{net.end.name}/∂{variable.name}", 0.0), total)))
    return tuple(steps)


def _course(net: Net, a: Symbol) -> ExplanationPart:
    """The course's three wrong statements, refuted on the same example."""
    first = next(iter(net.paths(a)))
    alone = net.along(first)
    whole = sum(value(net.along(path)) for path in net.paths(a))
    h = first[1]
    text = _(
        "∂g/∂a = ∂g/∂h · ∂h/∂a is right where a has one way to g. Here it has three, and this one alone "
        "gives {alone:g} where the derivative is {whole:g}."
    ).format(alone=value(alone), whole=whole)
    formula = Formula(_partial(net, net.end, h) * _partial(net, h, a), alone)
    layers = _layers()
    return ExplanationPart(
        _("What the course says, and what is so"),
        (
            Step(_("The chain rule with one way only"), formula, text, wrong=True),
            slopes(),
            trained(),
            Step(
                _("“Only the first layer receives parameters of the model”"),
                text=_(
                    "Every layer has its own. A plain network of 2 inputs, 3 hidden units and 1 output, "
                    "and the size of the gradient in each of its parameters, by torch:"
                ),
                table=layers,
                wrong=True,
            ),
            _trained(),
        ),
    )


def _layers() -> StepTable:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
    loss = (net(torch.tensor([[1.0, -2.0]], dtype=torch.float64)) - 1).square().mean()
    loss.backward()
    rows = tuple(
        (name, p.numel(), float(p.grad.norm())) for name, p in net.named_parameters() if p.grad is not None
    )
    return StepTable((_("parameter"), _("numbers"), _("length of its gradient")), rows)


def _trained() -> Step:
    """Training of all layers compared with the first layer alone, on the exclusive or of two inputs."""
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float64)
    rows: list[tuple[str | float | int, ...]] = []
    for name, taught in ((_("all layers"), 4), (_("the first layer alone"), 2)):
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
        trained = list(net.parameters())[:taught]
        losses = []
        for _update in range(max(SEEN) + 1):
            loss = (net(x) - y).square().mean()
            losses.append(float(loss.detach()))
            for p, g in zip(trained, torch.autograd.grad(loss, trained), strict=True):
                p.data.sub_(0.3 * g)
        rows.append((name, *(losses[t] for t in SEEN)))
    heads = (_("what is trained"), *(_("loss after {t}").format(t=t) for t in SEEN))
    text = _("The exclusive or of two inputs, the same network from the same start, learning rate 0.3.")
    return Step(
        _("What it does to training: the first layer only"), text=text, table=StepTable(heads, tuple(rows))
    )


def _checks(name: str, net: Net, by: tuple[Symbol, ...], theirs: object) -> tuple[Check, ...]:
    assert callable(theirs)
    x = torch.tensor([s.number for s in by], dtype=torch.float64, requires_grad=True)
    theirs(x).backward()
    assert x.grad is not None
    checks = []
    for place, variable in enumerate(by):
        ours = sum(value(net.along(path)) for path in net.paths(variable))
        central = (net.value(variable, H) - net.value(variable, -H)) / (2 * H)
        what = f"∂g/∂{variable.name}, {name}"
        reference = float(x.grad[place])
        checks += [
            Check(_("{what}: torch.autograd").format(what=what), ours, reference, relative(ours, 1.0)),
            Check(
                _("{what}: central difference").format(what=what), ours, central, 1e-6 * max(1.0, abs(ours))
            ),
        ]
    return tuple(checks)


def _leaves(e: Expr) -> list[Symbol]:
    if isinstance(e, Symbol):
        return [e]
    return [s for a in getattr(e, "args", ()) for s in _leaves(a)]


def _partial(net: Net, of: Symbol, by: Symbol) -> Symbol:
    return Symbol(f"∂{_label(of)}/∂{_label(by)}", value(net.slope(of, by)))


def _label(s: Symbol) -> str:
    return s.name + {"": "", "1": "₁", "2": "₂"}[s.sub]


def _short(number: float) -> str:
    return numeral(number, ".4g").replace("-", "−")


# ---- a run


def of(update: Update) -> Explanation:
    """Explain the paths of the row with the largest contribution to the gradient, then the sum over rows."""
    row, batch = update.row, update.batch
    paths = net_paths(update, row)
    sums = [float(s) for s in totals(update)]

    def share(sub: str, k: int) -> Expr:
        return Symbol("s", sums[k], sub)

    whole = Formula(Symbol("∂L/∂w", 0.0), series("r", "B", len(sums), share))
    part = ExplanationPart(
        _("Every way from the weight to the loss, row {row}").format(row=int(batch.rows[row])),
        (
            *_lines(update, paths),
            _sum_of_ways(paths),
            Step(_("And the same for every row of the batch, added up"), whole),
        ),
    )
    explained = to_the_gradient(update, "backprop", SOURCES, part, _sizes(update))
    by_paths = Check(
        _("∂L/∂w: all ways of all rows, against δ · input"),
        whole.value,
        update.gradient,
        relative(whole.value, *(abs(s) * len(sums) for s in sums)),
    )
    theirs = next(c for c in explained.checks if "autograd" in c.name)
    again = Check(
        _("∂L/∂w: all ways of all rows, against torch.autograd"),
        whole.value,
        theirs.reference,
        by_paths.within + theirs.within,
    )
    return Explanation(
        explained.topic,
        explained.title,
        explained.about,
        explained.parts,
        (*explained.checks, by_paths, again),
        SOURCES,
    )


def _lines(update: Update, paths: Paths) -> tuple[Step, ...]:
    text = _(
        "{n:,} ways in all; these are the largest. A unit that ReLU holds at 0 closes every way through it."
    ).format(n=paths.count)
    steps = [Step(_("How many there are"), text=text, picture=_graph(update, paths))]
    for number, path in enumerate(paths.largest, 1):
        steps.append(
            Step(_say(update, path, number), Formula(Symbol("p", 0.0, str(number)), _product(update, path)))
        )
    return tuple(steps)


def _say(update: Update, path: NetworkPath, number: int) -> str:
    first = update.place.layer
    names = [_("unit {unit} of layer {layer}").format(unit=update.place.i, layer=first)]
    names += [
        _("unit {unit} of layer {layer}").format(unit=unit, layer=first + k)
        for k, unit in enumerate(path.units, 1)
    ]
    return _("Way {n}: {units}, loss").format(n=number, units=", ".join(names))


def _product(update: Update, path: NetworkPath) -> Expr:
    """The product along a path: ∂L/∂z of the output, then W and act′ alternately, then the weight's input."""
    place, last = update.place, len(update.layers) - 1
    units = (place.i, *path.units)
    symbols: list[Expr] = [Symbol("∂L/∂z", path.factors[0], str(units[-1]), f"({last})")]
    for k, factor in enumerate(path.factors[1 : 1 + 2 * len(path.units)]):
        at = last - k // 2
        if k % 2 == 0:
            symbols.append(
                Symbol("W", factor, f"{units[at - place.layer]},{units[at - place.layer - 1]}", f"({at})")
            )
        else:
            symbols.append(Symbol("act′", factor, str(units[at - place.layer - 1]), f"({at - 1})"))
    if place.j is not None:
        sup = "" if place.layer == 0 else f"({place.layer - 1})"
        symbols.append(Symbol("x" if place.layer == 0 else "h", path.factors[-1], str(place.j), sup))
    return product(symbols)


def _sum_of_ways(paths: Paths) -> Step:
    terms: list[Expr] = [Symbol("p", path.slope, str(n)) for n, path in enumerate(paths.largest, 1)]
    if paths.count > len(terms):
        terms.append(Symbol("p", paths.rest, _("others")))
    total = reduce(lambda a, b: a + b, terms)
    return Step(_("All {n:,} ways of this row").format(n=paths.count), Formula(Symbol("s", 0.0, "r"), total))


def _graph(update: Update, paths: Paths) -> Graph:
    place, last = update.place, len(update.layers) - 1
    start = "w"
    columns: list[list[str]] = [[start], [_node(place.layer, place.i)]]
    edges: dict[tuple[str, str], Edge] = {}
    p = update.through[place.layer]
    inside = 1.0 if place.j is None else float(p.a[update.row, place.j])
    edges[start, columns[1][0]] = Edge(start, columns[1][0], _short(inside), inside)
    for path in paths.largest:
        before = columns[1][0]
        for k, unit in enumerate(path.units):
            at = place.layer + 1 + k
            node = _node(at, unit)
            while len(columns) <= k + 2:
                columns.append([])
            if node not in columns[k + 2]:
                columns[k + 2].append(node)
            edges.setdefault((before, node), Edge(before, node, "", path.slope))
            before = node
        top = float(update.through[last].d[update.row, path.units[-1] if path.units else place.i])
        edges.setdefault((before, "L"), Edge(before, "L", _short(top), top))
    return Graph(_("The largest ways"), tuple(map(tuple, [*columns, ["L"]])), tuple(edges.values()))


def _node(layer: int, unit: int) -> str:
    return f"{layer}:{unit}"


def _sizes(update: Update) -> ExplanationPart:
    rows = tuple((name, g.size, float((g**2).sum() ** 0.5)) for name, g in update.gradients.items())
    text = _(
        "The course says that only the first layer receives parameters of the model. Every layer has its "
        "own, and each has a gradient."
    )
    table = StepTable((_("parameter"), _("numbers"), _("length of its gradient")), rows)
    return ExplanationPart(
        _("Every layer has parameters"), (Step(_("Of this network, in this update"), text=text, table=table),)
    )


TOPIC = Topic("backprop", N_("the chain rule as a sum over all paths, one line a path"), example, of)
