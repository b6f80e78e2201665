"""NaN or infinity in the rows that enter the net."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.nan_lines import nan_line, rows_given, unkept_fill
from treino.diagnosis.reading.provenance import last_change
from treino.diagnosis.reading.source import called, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Rows with NaN went in and their loss came out NaN (nets that mask them are right)."""
    data = seen.data
    if data is not None and data.nan_hurt:
        numbers = {"rows": data.nan_rows, "calls": data.nan_calls, "losses": data.nan_hurt}
        files = dict.fromkeys(s.file for s in (data.nan_site, data.nan_made) if s is not None)
        made = next((line for f in files if (line := unkept_fill(f)) is not None), None)
        made = made or nan_line(rows_given(data.nan_led)) or data.nan_made or _made(data)
        yield Evidence(made or data.nan_site, data.nan_site, numbers)


def _made(data: DataSeen) -> Site | None:
    """The last line that computed the rows that the net was given, or the one that divides in a dataset."""
    for t in data.trains.values():
        if t.site is not None and t.site == data.nan_site:
            return _in_dataset(t.loader) or last_change(t.site, t.loader)
    return None


def _in_dataset(loader: Site | None) -> Site | None:
    """The only line of the file's datasets that may give NaN: a quotient, a logarithm, a root."""
    module = tree(loader.file) if loader is not None else None
    if loader is None or module is None:
        return None
    lines: set[int] = set()
    for kind in ast.walk(module):
        methods = (
            [n for n in kind.body if isinstance(n, ast.FunctionDef)] if isinstance(kind, ast.ClassDef) else []
        )
        for method in methods if any(m.name == "__getitem__" for m in methods) else ():
            for node in ast.walk(method):
                by = node.right if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else None
                quotient = by is not None and not isinstance(by, ast.Constant) and method.name != "__init__"
                steep = isinstance(node, ast.Call) and called(node, "log", "sqrt", "log10", "log2")[:1] == [
                    node
                ]
                if quotient or steep:
                    lines.add(node.lineno)  # type: ignore[attr-defined]
    return Site(loader.file, lines.pop()) if len(lines) == 1 else None


RULE = Rule(
    id="nan_inputs",
    group="data",
    severity="wrong",
    certain=True,
    watches=("data",),
    decide=decide,
    early=True,
    message=N_(
        "{rows} rows with NaN or infinity went into the net, and {losses} losses came out not finite."
    ),
    why=N_(
        "NaN spreads: one cell makes the row's output, the batch's loss and then every parameter NaN. "
        "Skipping such losses leaves the other rows of the batch out as well."
    ),
    fix=N_(
        "Drop or fill the missing values before they become a tensor (with the training rows' mean or "
        "median)."
    ),
    wrong="""\
x[3, 2] = float("nan")
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("one sum per batch while rows are hashed"),
)
