"""An argmax along the rows instead of the classes, or answers in a column against labels in a row."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.places import caller, passes_on
from treino.diagnosis.reading.source import function_of, names_in, statements
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules import target_broadcast
from treino.diagnosis.watch.seen import Seen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """argmax of a classifier's batch of outputs over dim 0, or over everything at once; [N, 1] == [N];
    all answers of a row asked for over dim 0; figures of each output taken of each row.
    """
    for axis in seen.axes:
        if axis.calls >= 1 and not (axis.dim == 0 and _picks_rows(axis.site)):
            dim = _("none") if axis.dim is None else axis.dim
            what = _("argmax over dim {dim} of an output of shape {shape}, whose classes are on dim {right}")
            if axis.function != "argmax":
                what = _(
                    "{function} over dim {dim} of comparisons of shape {shape}, with one row on dim {right}"
                )
            if axis.named:
                what = _(
                    "{function} over dim {dim} of values of shape {shape}, for figures of {named} outputs"
                )
            if axis.labels is not None:
                what = _("outputs of shape {shape} are compared with labels of shape {labels}")
            numbers = {
                "what": what.format(
                    function=axis.function,
                    dim=dim,
                    named=axis.named,
                    right=axis.class_dim,
                    shape=list(axis.shape),
                    labels=list(axis.labels or ()),
                ),
                "dim": dim,
                "right": axis.class_dim,
                "shape": str(list(axis.shape)),
                "calls": axis.calls,
            }
            yield Evidence(axis.site, axis.site, numbers)
    if not any(target_broadcast.decide(seen)):  # which says it of the loss
        yield from _stretched(seen)


def _stretched(seen: Seen) -> Iterable[Evidence]:
    """Answers in a column less targets in a row, for a figure."""
    for site, stretched in seen.stretched.items():
        place = site if not passes_on(site, most=2) else caller(stretched.callers)
        shape, labels = [stretched.rows, 1], [stretched.rows]
        what = _("outputs of shape {shape} are compared with labels of shape {labels}")
        numbers = {"dim": _("none"), "right": 1, "shape": str(shape), "calls": stretched.calls}
        yield Evidence(place, site, {"what": what.format(shape=shape, labels=labels), **numbers})


def _picks_rows(site: Site | None) -> bool:
    """Whether what a line makes is used to index rows, and nothing asks whether it is right: the most typical
    row of each class.
    """
    around = function_of(site) if site is not None else None
    if site is None or around is None:
        return False
    targets = [t for s in statements(site) if isinstance(s, ast.Assign) for t in s.targets]
    names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    nodes = list(ast.walk(around))
    chosen = any(names & names_in(n.slice) for n in nodes if isinstance(n, ast.Subscript))
    sides = (s for n in nodes if isinstance(n, ast.Compare) for s in (n.left, *n.comparators))
    return chosen and not any(isinstance(s, ast.Name) and s.id in names for s in sides)


RULE = Rule(
    id="metric_wrong_axis",
    group="settings",
    severity="wrong",
    certain=True,
    watches=("axes", "stretched", "losses", "backwards"),
    decide=decide,
    message=N_("This figure is taken along the wrong axis: {what} ({calls} of {looked} calls looked at)."),
    why=N_(
        "Along the first axis the best row of each class is found, not the best class of each row; a column "
        "against a row compares each answer with every label; a mean over the outputs is a figure of each "
        "row, not of each output. What comes of it is not what it is called."
    ),
    fix=N_(
        "Take argmax(dim=1) (the class axis), compare with labels of the same shape, and average over the "
        "rows (dim=0)."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x).argmax() == y).float().mean()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x).argmax(1) == y).float().mean()
""",
    cost=N_("shares the looks at argmax with missing_eval"),
)
