"""A scaler that was fitted on the evaluation rows too."""

import ast
from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.source import called, tree
from treino.diagnosis.watch.rows import EvalSeen, TrainSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Evaluation rows that are none of training's are among those that a scaler was fitted on."""
    data = seen.data
    if data is None:
        return
    for e in data.evals.values():
        train = next((t for t in data.trains.values() if t.net is e.net), None)
        if train is None or len(e.rows) < 10 or len(e.trained_before) > 0.1 * len(e.rows) or not train.rows:
            continue
        for number, fit in enumerate(data.fits):
            if e.leaked[number] >= 0.9 * len(e.rows) and train.leaked[number] > 0:
                yield Evidence(
                    fit.site, e.names[0] if e.names else None, _numbers(len(e.rows), fit.rows, fit.kind)
                )
                return
        place = by_statistics(train, e)
        if place is not None:
            yield Evidence(
                place,
                e.names[0] if e.names else None,
                _numbers(len(e.rows), len(e.rows | set(train.rows)), "mean"),
            )
            return


def _numbers(rows: int, fitted: int, kind: str) -> dict[str, int | str]:
    return {"rows": rows, "fitted": fitted, "kind": kind}


def by_statistics(train: TrainSeen, e: EvalSeen) -> Site | None:
    """All rows together have mean 0 and deviation 1 to the last digits, the training rows alone have not."""
    n, m = len(train.rows), len(e.rows)
    if train.sums is None or e.sums is None or train.squares is None or e.squares is None:
        return None
    if train.sums.shape != e.sums.shape or not train.over or n < 30:
        return None
    if train.twice or not e.names:
        return None
    mean = (train.sums + e.sums) / (n + m)
    std = np.sqrt(np.maximum((train.squares + e.squares) / (n + m) - mean**2, 0))
    own = np.abs(train.sums / n)
    unit = np.minimum(np.abs(std - 1), np.abs(std * np.sqrt((n + m) / (n + m - 1)) - 1))
    exact = (np.abs(mean) < 2e-5) & (unit < 2e-5)
    if exact.mean() < 0.8 or own.max() < 1e-3 or len(mean) < 2:
        return None
    module = tree(e.names[0].file)
    for node in ast.walk(module) if module is not None else ():
        plain = isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.ClassDef))
        if plain and called(node, "std", "var") and called(node, "mean"):
            return Site(e.names[0].file, node.lineno)  # type: ignore[attr-defined]
    return e.names[0]


RULE = Rule(
    id="scaler_leakage",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    message=_(
        "All {rows} evaluation rows are among the {fitted} rows that the scaler ({kind}) was fitted on."
    ),
    why=_(
        "The scaling carries the evaluation rows' mean and spread into training, so that the figure is "
        "not one for unseen data. It is most wrong where rows are few or change over time."
    ),
    fix=_("Split first; fit the scaler on the training rows only, and transform both parts with it."),
    wrong="""\
from sklearn.preprocessing import StandardScaler
x = torch.tensor(StandardScaler().fit_transform(x.numpy() + 1))
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:180]), y[:180])
    loss.backward()
    optimizer.step()
with torch.no_grad():
    accuracy = (net(x[180:]).argmax(1) == y[180:]).float().mean()
""",
    right="""\
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler().fit(x[:180].numpy() + 1)
x = torch.tensor(scaler.transform(x.numpy() + 1))
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:180]), y[:180])
    loss.backward()
    optimizer.step()
with torch.no_grad():
    accuracy = (net(x[180:]).argmax(1) == y[180:]).float().mean()
""",
    cost=_("hashes the rows of scikit-learn's fits and those that enter nets"),
)
