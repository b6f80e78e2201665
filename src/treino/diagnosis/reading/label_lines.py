"""Where labels are made that a loss can't mean: followed back from the call of the loss."""

import ast
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import converts, hands_out
from treino.diagnosis.reading.configured import one_place, places
from treino.diagnosis.reading.provenance import Function, functions
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    called,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.reading.traced import Value, lambda_of, returns, traced
from treino.diagnosis.watch.loss_seen import SIGNED, TARGET_AT, LossSeen

NAMES = ("target", "targets", "labels", "label", "y", "y_true", "input2")
VALUES_AT = {  # of what fills a tensor, or makes a table: the arguments that are its values
    **dict.fromkeys(
        ("tensor", "as_tensor", "FloatTensor", "array", "map", "choice", "choices", "fill_"), (0, 1)
    ),
    **dict.fromkeys(("full", "full_like", "new_full", "masked_fill", "where"), (1, 3)),
    **dict.fromkeys(("uniform_", "uniform", "clamp", "clip", "linspace", "replace"), (0, 2)),
}
VALUES_BY = ("fill_value", "value", "low", "high", "min", "max", "a_min", "a_max", "lower", "upper", "data")
SCALERS = ("transform", "fit_transform", "standardize", "standardise", "normalize", "zscore")
ONES = ("ones", "ones_like", "new_ones")
FEW = 20  # classes
DRAWS = {"rng", "random", "randn", "rand", "randint", "normal", "uniform", "default_rng", "RandomState"}


def target_given(loss: LossSeen) -> Value | None:
    """The expression that the loss was given as its target when it was bad."""
    for i, (site, spot) in enumerate(loss.bad_calls[:1]):
        call = call_at(site, spot)
        if call is None:
            return None
        named = [k.value for k in call.keywords if k.arg in NAMES]
        at = TARGET_AT.get(loss.name, 1)
        given = named or call.args[at : at + 1]
        return Value(site, given[0], (), loss.bad_calls[i + 1 :]) if given else None
    return None


def labels_line(loss: LossSeen) -> Site | None:
    """The line that gives labels their values, or takes them from a table; None where that isn't known."""
    start = target_given(loss)
    if start is None or loss.bad_range is None:
        return None
    taken: Site | None = None
    inside: set[Site] = set()  # lines of the functions that are called where numbers become a tensor
    calls: dict[str, Site] = {}
    for v in traced(start):
        if isinstance(v.node, ast.Call):
            calls[call_name(v.node)] = Site(v.site.file, v.node.lineno)
        made = _made(v, loss)
        if made is not None and (taken is None or made in inside or (_signed(loss) and not _drawn(v.site))):
            return made
        if (taken is None or hands_out(taken)) and _converts(v):
            taken = Site(v.site.file, v.node.lineno)  # type: ignore[attr-defined]
            around, module = function_of(taken), tree(taken.file)
            within = [
                f
                for c in ast.walk(v.node)
                if isinstance(c, ast.Call)
                for f in functions(taken.file, call_name(c))
            ]
            inside = {Site(taken.file, n) for f in within for n in range(f.lineno, (f.end_lineno or 0) + 1)}
            shared = isinstance(around, Function) and module is not None and not _names_column(v.node)
            if shared and len(called(module, around.name)) > 1:  # type: ignore
                of_rows = calls.get(around.name, taken)  # type: ignore[union-attr]  # the call gives rows, too
                taken = calls.get("TensorDataset", of_rows) if _gives_parts(of_rows) else of_rows
    return taken


def _gives_parts(site: Site) -> bool:
    """Whether a line takes rows and labels apart, ``x, y = windows(series)``: no place to change these."""
    statement = statement_at(site)
    return isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)


def _names_column(node: ast.AST) -> bool:
    """``torch.tensor(table["price"].values)``: the same column for all that call the function around."""
    keys = (n.slice for n in ast.walk(node) if isinstance(n, ast.Subscript))
    return any(isinstance(k, ast.Constant) and isinstance(k.value, str) for k in keys)


def _signed(loss: LossSeen) -> bool:
    """Whether they look like the labels of another loss: −1 and 1, or classes counted from one."""
    low, high = loss.bad_range or (0.0, 0.0)
    return (low == -1 and high <= 1) or (low == 1 and high <= FEW and float(high).is_integer())


def _drawn(site: Site) -> bool:
    """Whether a line, or the function around it, draws the data at random."""
    around, statement = function_of(site), statement_at(site)
    said = names_in(statement) | (names_in(around) if isinstance(around, Function) else set())
    return bool(said & DRAWS)


def _made(v: Value, loss: LossSeen) -> Site | None:
    """The line of an expression that gives values out of range."""
    node = v.node

    def bad(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if loss.name in SIGNED:
            return value not in (-1, 1)
        return value < 0 or (value > 1 and loss.name.startswith("binary_cross_entropy"))

    here = Site(v.site.file, getattr(node, "lineno", v.site.line))
    statement = statement_at(here)
    entry = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)
    if entry and statement.value is node and bad(_number(node)):  # type: ignore[union-attr]
        return here  # labels[n:] = -1
    if isinstance(node, ast.BinOp):
        return here if _moves(node, loss) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Call):
        return here if call_name(node.operand) in ONES and bad(-1) else None
    zeros = isinstance(node, ast.Call) and call_name(node) in ("zeros", "zeros_like", "new_zeros")
    if zeros or isinstance(node, ast.Compare):
        return here if loss.name in SIGNED else None  # 0 and 1 where −1 and 1 are meant
    summed = isinstance(node, ast.Call) and call_name(node) in ("sum", "bincount", "cumsum", "nansum")
    if summed and loss.name.startswith("binary_cross_entropy") and (loss.bad_range or (0.0, 0.0))[1] > 1:
        return here  # so many votes, where their share is meant
    values: list[ast.AST] = []
    if isinstance(node, ast.IfExp):
        values = [node.body, node.orelse]
    elif isinstance(node, ast.Call) and call_name(node) in VALUES_AT:
        start, end = VALUES_AT[call_name(node)]
        values = [*node.args[start:end], *(k.value for k in node.keywords if k.arg in VALUES_BY)]
    elif isinstance(node, ast.Call) and call_name(node) in SCALERS:
        return _step_of(v, node, loss) or here if loss.name.startswith("binary_cross_entropy") else None
    elif isinstance(node, ast.Dict):
        values = list(node.values)
    found: list[Site] = []
    for value in _flat(values):
        number = _number(value)
        if number is not None:
            found += [here] if bad(number) else []
        elif isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
            found += places(Site(v.site.file, here.line), value, bad)
    return one_place(found) or (here if found else None)


def _step_of(v: Value, call: ast.Call, loss: LossSeen) -> Site | None:
    """The one step of a pipeline, ``self.transform = Compose([...])``, that brings values out of range."""
    for made in traced(Value(v.site, call.func, (), v.frames)):
        for step in ast.walk(made.node) if isinstance(made.node, (ast.Call, ast.List, ast.Lambda)) else ():
            if isinstance(step, ast.Call) and call_name(step) == "Normalize":
                return Site(made.site.file, step.lineno)
            bodies = [Value(made.site, step.body)] if isinstance(step, ast.Lambda) else []
            if isinstance(step, ast.Name):
                bodies = [r for f in functions(made.site.file, step.id) for r in returns(made.site.file, f)]
            sums = [(b, n) for b in bodies for n in ast.walk(b.node) if isinstance(n, ast.BinOp)]
            for body, inside in sums:
                if (line := _made(Value(body.site, inside), loss)) is not None:
                    return line
    return None


def _flat(values: list[ast.AST]) -> Iterator[ast.AST]:
    """Values, those in lists and tables one by one."""
    for value in values:
        if isinstance(value, (ast.List, ast.Tuple)):
            yield from _flat(list(value.elts))
        elif isinstance(value, ast.Dict):
            yield from _flat(list(value.values))
        else:
            yield value


def _number(node: ast.AST) -> float | None:
    """The number that is written here."""
    sign = -1.0 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1.0
    plain = node.operand if isinstance(node, ast.UnaryOp) else node
    said = plain.value if isinstance(plain, ast.Constant) else None
    return sign * said if isinstance(said, (int, float)) and not isinstance(said, bool) else None


def _moves(node: ast.BinOp, loss: LossSeen) -> bool:
    """Whether arithmetic brings labels out of range: ``2 * y - 1``, ``y + 1``, ``(y - mean) / std``."""
    left, right = _number(node.left), _number(node.right)
    number = right if right is not None else left
    low, high = loss.bad_range or (0.0, 0.0)
    if isinstance(node.op, ast.Div) and loss.name.startswith("binary_cross_entropy"):
        centred = isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Sub)
        ranged = isinstance(node.right, ast.BinOp) and isinstance(node.right.op, ast.Sub)
        return (centred and low < 0) or (ranged and not centred and high > 1)  # x / (high - low)
    if number is None:
        return False
    if isinstance(node.op, ast.Add):
        return number >= 1 and (high > 1 or low > 0)
    if isinstance(node.op, ast.Sub):
        return right is not None and number > 0 and low < 0
    return isinstance(node.op, ast.Mult) and number > 1 and high > 1


def _converts(v: Value) -> bool:
    """Whether numbers of a table become a tensor here."""
    made = lambda_of(v)
    return isinstance(v.node, ast.Call) and (
        _converts_plainly(v.node) or (made is not None and converts(made))
    )


def _converts_plainly(call: ast.Call) -> bool:
    joins = call_name(call) == "stack"  # of tensors
    return (converts(ast.Call(call.func, [], [])) and not joins) or call_name(call) == "LongTensor"
