"""A count that each batch overwrites, divided by the number of all rows: likely, by source and figures."""

import ast
import math

from treino_doctor.places.source import function, loop, names, statement, targets
from treino_doctor.record.log import Operation, Read
from treino_doctor.record.row_log import Evaluated
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script

SHARE = 0.5  # maximum share of the right predictions that the last batch holds, so that the metric is far off
NEAR = 1e-3  # distance from a whole number
KEEPS = ("to", "div", "mul", "detach", "clone")


def decide(log: Log) -> Faults:
    """One line counted the right predictions of each batch of an evaluation; the last batch has far fewer
    than all, and the source keeps only its count and divides it after the loop.
    """
    reads = log.of(Read)
    lines = {r.site: made.site for r in reads if (made := count(r)) is not None}  # for the few with a graph
    for e in log.of(Evaluated):
        if e.calls < 2 or not e.judged == e.rows > 0:
            continue
        own = [r for r in reads if (r.turn, r.step) == (e.turn, e.step)]
        for line, site in ((r.site, lines[r.site]) for r in own if r.site in lines):
            newest = next(
                (r.value for r in reversed(own) if r.site == line and math.isfinite(r.value)), math.nan
            )
            last = rows_right(newest, e.rows, divided=any(r.site == line and is_divided(r) for r in reads))
            if last < SHARE * e.right and overwritten(site):
                shares = {"figure": last / e.rows, "right": e.right / e.rows}
                yield Evidence(site, shares | {"rows": e.rows, "batches": e.calls}, stack=e.stack)
                return


def is_divided(read: Read) -> bool:
    """Whether a count was divided, or taken in percent, before it left torch."""
    made = count(read)
    return made is not None and any(
        o.name in ("div", "mul") for o in read.graph.operations[: read.graph.operations.index(made)]
    )


def rows_right(value: float, rows: int, *, divided: bool) -> float:
    """The count behind a number: the number itself, or a share times the number of rows; NaN if neither."""
    ways = (value * rows, value * rows / 100) if divided else (value,)
    whole = (n for n in ways if math.isfinite(n) and n <= rows and abs(n - round(n)) < NEAR)
    return next((round(n) for n in whole), math.nan)


def count(read: Read) -> Operation | None:
    """The sum behind a number that counts right answers; None if it is another number."""
    one = read.graph.root
    while one is not None and one.name in KEEPS:
        one = next(iter(read.graph.parents(one)), None)
    summed = one if one is not None and one.name in ("sum", "count_nonzero") else None
    of = read.graph.parents(summed)[:1] if summed is not None else []
    while of and of[0].name in KEEPS:
        of = read.graph.parents(of[0])[:1]
    return summed if of and of[0].name == "eq" and of[0].forwards else None


def overwritten(site: Site | None) -> bool:
    """Whether a line in a loop sets a name that nothing else in the loop reads, and that is divided after it
    by a number that the last batch does not set.
    """
    start, around = statement(site), loop(site)
    if site is None or not isinstance(start, ast.Assign) or around is None or len(targets(start)) != 1:
        return False
    (name,) = targets(start)
    inside = [n for part in (*around.body, *around.orelse) for n in ast.walk(part)]
    if any(reads_it(n, name) for n in inside):
        return False
    batch = targets(around).union(*(targets(n) for n in inside if isinstance(n, (ast.Assign, ast.For))))
    last = around.end_lineno or around.lineno
    after = (n for n in ast.walk(function(site)) if isinstance(n, ast.BinOp) and n.lineno > last)
    divided = (n for n in after if isinstance(n.op, ast.Div) and name in names(n.left))
    return any(not names(n.right) & batch for n in divided)


def reads_it(node: ast.AST, name: str) -> bool:
    """Whether a node reads the value of a name or of an attribute."""
    own = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return own == name and isinstance(getattr(node, "ctx", None), ast.Load)


RULE = Rule(
    group="settings",
    certain=False,
    message=(
        "Only the right answers of the last of {batches} batches are counted, and divided by all {rows} "
        "rows: {figure} instead of {right}."
    ),
    why=(
        "Each batch overwrites the count of the one before, so that the figure is about as many times too "
        "small as there are batches. It says little about the net."
    ),
    fix="Set the count to 0 before the loop and add to it in the loop: +=.",
    safety="Safe: only the figure changes.",
    limits=(
        "Likely, by source: the count has to be divided in the function that counts. Not seen: a count that "
        "NumPy makes, and a mean that each batch overwrites."
    ),
    wrong=script()
    + """\
correct = 0
with torch.no_grad():
    for rows, truth in zip(x.split(48), y.split(48)):
        correct = (net(rows).argmax(1) == truth).sum().item()
print(correct / len(x))
""",
    mend={"correct = (net": "correct += (net"},
)
