"""NaN or infinity in the rows that enter the net."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import ancestry, hands_out
from treino.diagnosis.reading.names import says_train
from treino.diagnosis.reading.nan_lines import is_missing, nan_line, rows_given, standardised_at, unkept_fill
from treino.diagnosis.reading.provenance import data_names
from treino.diagnosis.reading.rows_taken import last_change
from treino.diagnosis.reading.source import called, names_in, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen
from treino.words import N_

TAKES_CARE = (
    *("isnan", "isfinite", "isinf", "isna", "isnull", "notna", "notnull", "nan_to_num", "nanmean"),
    *("nansum", "nanmedian", "masked_invalid"),
)


def decide(seen: Seen) -> Iterable[Evidence]:
    """Rows with NaN went in and their loss came out NaN (nets that mask them are right); or a trained net's
    answers to such evaluation rows were judged, and no line looks for NaN among them.
    """
    data = seen.data
    if data is None:
        return
    e = None if data.nan_hurt else _spoiled_evaluation(seen, data)
    if data.nan_hurt or e is not None:
        numbers = {"rows": data.nan_rows, "calls": data.nan_calls, "losses": data.nan_hurt}
        if e is not None:
            numbers |= {"rows": e.spoiled // max(1, len(e.phases)), "losses": e.spoiled}
        files = dict.fromkeys(s.file for s in (data.nan_site, data.nan_made) if s is not None)
        made = next((line for f in files if (line := unkept_fill(f)) is not None), None)
        first = data.nan_made if data.nan_made is not None and not hands_out(data.nan_made) else None
        made = made or nan_line(rows_given(data.nan_led)) or data.nan_born or first
        made = made or (_put_in(e) if e is not None else _made(data))
        yield Evidence(made or data.nan_site, data.nan_site, numbers)


def _spoiled_evaluation(seen: Seen, data: DataSeen) -> EvalSeen | None:
    """The evaluation of a trained net whose judged answers were not finite for rows with NaN alone."""
    for key, e in data.evals.items():
        train = data.trains.get(key[0])
        learned = train.learned() if train is not None else None
        if not e.spoiled or not e.names or learned is None or not learned.rows or len(e.rows) < 10:
            continue
        judged = any(c.judged and c.site == e.names[0] for c in seen.calls)
        if judged and not any(_takes_care(f) for f in {s.file for s in e.names}):
            return e
    return None


def _takes_care(path: str) -> bool:
    """Whether a file looks for NaN in anything but its training rows, so that it may leave such rows out."""
    module = tree(path)
    for call in called(module, *TAKES_CARE) if module is not None else ():
        if not says_train(names_in(call)):
            return True
    return False


def _put_in(e: EvalSeen) -> Site | None:
    """The line that writes NaN into the evaluation rows, or else the last that computed them."""
    site = e.names[0]
    around = tree(site.file)
    for step in ancestry(site, e.loader):
        known = data_names(step.value)
        for node in ast.walk(around) if around is not None else ():
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            written = isinstance(target, ast.Subscript) and data_names(target.value) & known
            if written and isinstance(node, ast.Assign) and any(map(is_missing, ast.walk(node.value))):
                return Site(site.file, node.lineno)
    return last_change(site, e.loader)


def _made(data: DataSeen) -> Site | None:
    """The last line that computed the rows that the net was given, or the one that divides in a dataset."""
    for t in data.trains.values():
        if t.site is not None and t.site == data.nan_site:
            divided = standardised_at(rows_given(data.nan_led))
            return _in_dataset(t.loader) or divided or last_change(t.site, t.loader)
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
        "{rows} rows with NaN or infinity went into the net, and {losses} losses or answers came out not "
        "finite."
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
