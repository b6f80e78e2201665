"""Scores whose best entry is asked for, as the source says how they are made: as those that a loss trains."""

import ast
from itertools import islice

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import makers, parameters
from treino.diagnosis.reading.passed import EACH
from treino.diagnosis.reading.provenance import Function, definition, functions, holders, target_names
from treino.diagnosis.reading.source import (
    call_name,
    called,
    function_of,
    names_in,
    remembered,
    statement_at,
)
from treino.diagnosis.reading.traced import Value, traced

DEPTH = 3
HANDS = 40  # names and calls that scores go through
JOINS = ("cat", "concat", "concatenate", "vstack", "append", "cpu", "detach")
TURNED = ("T", "mT", "H")
METRICS: tuple[str, ...] = (
    "accuracy_score",
    "balanced_accuracy_score",
    "f1_score",
    "recall_score",
    "precision_score",
)
METRICS += ("confusion_matrix", "classification_report", "cohen_kappa_score", "matthews_corrcoef")


def paired(site: Site | None) -> bool:
    """Whether a line holds answers against labels, one by one: ``sum(a == b for a, b in zip(said, y))``"""
    statement = statement_at(site) if site is not None else None
    equal = isinstance(statement, ast.stmt) and any(isinstance(n, ast.Eq) for n in ast.walk(statement))
    return statement is not None and equal and bool(called(statement, "zip"))


@remembered
def compared_with(site: Site) -> tuple[str, ...]:
    """The names that what a line takes of a net is compared with: ``said = net(x).argmax(1).numpy()``, and
    ``(said == y_test).mean()`` in the same function.
    """
    statement, around = statement_at(site), function_of(site)
    if statement is None or around is None or hasattr(statement, "body"):
        return ()
    taken = {id(c) for c in called(statement, "numpy", "tolist")}
    if not taken:  # the figure itself takes what it is given
        asked = [_plain_name(a) for c in called(statement, *METRICS) for a in c.args[:2]]
        return tuple(name for name in asked if name)
    given = set().union(*map(target_names, statement.targets)) if isinstance(statement, ast.Assign) else set()

    def ours(node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return node.id in given
        return any(id(n) in taken for n in ast.walk(node)) and _plain_name(node) == ""

    found: list[str] = []
    for node in ast.walk(around):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            sides = [node.left, node.comparators[0]]
        elif isinstance(node, ast.Call) and call_name(node) in METRICS:
            sides = node.args[:2]
        if len(sides) == 2:
            found += [_plain_name(b) for a, b in (sides, sides[::-1]) if ours(a) and not ours(b)]
    return tuple(dict.fromkeys(name for name in found if name))


def _plain_name(node: ast.AST) -> str:
    """The name of an array: ``y``, ``y.numpy()``, ``y.values``."""
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Call) and (node.args or not isinstance(node.func, ast.Attribute)):
            return ""
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def scored(site: Site, losses: list[Site | None], net: Site | None) -> bool:
    """Whether the only argmax of a line, which is compared with labels, is of scores with the classes last:
    the function that makes them also makes the input of a cross entropy, or they are computed from what the
    net returned, by the line ``net``.

    Scores that are looked at, or trained, along both axes are none.
    """
    statement, around = statement_at(site), function_of(site)
    asked = called(statement, "argmax") if statement is not None else []
    if len(asked) == 2 and isinstance(statement, ast.AST) and _both_sides(statement, asked):
        asked = asked[:1]  # labels as rows of 0 and 1
    if len(asked) != 1 or around is None or not _compared(around, asked[0]):
        return False
    func = asked[0].func
    plain = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "torch"
    scores = asked[0].args[0] if plain else func.value if isinstance(func, ast.Attribute) else None
    if scores is None or len(_of(around, scores)) > 1:
        return False
    makers = _makers(site, scores)
    called_by = net.line if net is not None and net.file == site.file else -1
    if any(m.lineno <= called_by <= (m.end_lineno or 0) for m in makers):
        return True
    if net is not None and _of_answers(Value(site, scores), net):
        return True
    own = {m.name for m in makers if isinstance(m, ast.FunctionDef)}
    trained: set[str] = set()
    for loss in losses:
        line = statement_at(loss) if loss is not None else None
        if loss is None or line is None or loss.file != site.file:
            continue
        if called(line, "t", "transpose", "permute") or {"T", "mT"} & names_in(line):
            return False
        for call in (n for n in ast.walk(line) if isinstance(n, ast.Call) and len(n.args) > 1):
            trained |= {m.name for m in _makers(loss, call.args[0]) if isinstance(m, ast.FunctionDef)}
    return bool(own & trained)


def _of_answers(scores: Value, net: Site) -> bool:
    """Whether scores are what a net returned on a line, row by row: gathered, joined and handed on."""
    for v in islice(traced(scores), HANDS):
        if isinstance(v.node, ast.BinOp) or (isinstance(v.node, ast.Attribute) and v.node.attr in TURNED):
            return False
        if isinstance(v.node, ast.Call):
            name = call_name(v.node)
            if v.site.file == net.file and v.node.lineno == net.line and name not in JOINS:
                return v.part in ((), (EACH,))
            if name not in JOINS and not functions(v.site.file, name):
                return False
    return False


def _compared(around: ast.AST, best: ast.Call) -> bool:
    """Whether what is best is compared by ``==``, there or by its name."""
    names = holders(around, best)
    for node in ast.walk(around):  # ``for said, label in zip(names, labels)``
        if isinstance(node, (ast.For, ast.comprehension)):
            inside = names & names_in(node.iter) or any(n is best for n in ast.walk(node.iter))
            names |= target_names(node.target) if inside else set()
    for node in ast.walk(around):
        equal = isinstance(node, ast.Compare) and any(isinstance(o, (ast.Eq, ast.NotEq)) for o in node.ops)
        if equal or (isinstance(node, ast.Call) and call_name(node) in ("eq", "ne", "accuracy_score")):
            parts = ast.walk(node)
            if any(n is best or (isinstance(n, ast.Name) and n.id in names) for n in parts):
                return True
    return False


def _both_sides(statement: ast.AST, asked: list[ast.Call]) -> bool:
    """``said.argmax(0) == labels.argmax(0)``"""
    pairs = [(n.left, n.comparators[0]) for n in ast.walk(statement) if isinstance(n, ast.Compare)]
    return any({id(one), id(other)} == {id(c) for c in asked} for one, other in pairs)


def _of(around: ast.AST, scores: ast.AST) -> list[ast.Call]:
    """The calls in a function that ask for the best of the same scores."""
    same = ast.dump(scores)
    return [c for c in called(around, "argmax", "max", "topk") if same in ast.dump(c)]


def _makers(site: Site, value: ast.AST) -> list[ast.expr | ast.FunctionDef]:
    """The expressions that a value is computed by, and the function of this file that returns it."""
    found: list[ast.expr | ast.FunctionDef] = []
    for _ in range(DEPTH):
        if isinstance(value, ast.Name):
            given, around = definition(site, value.id), function_of(site)
            own = given is not None and given.function is _scope(site)
            if isinstance(around, Function) and not own and value.id in parameters(around):
                steps = makers(value.id, site)
                if len(steps) != 1:
                    return found
                site, value = steps[0].site, steps[0].value
                continue
            if given is None or given.loop or not own:
                return found
            value = given.value
        if not isinstance(value, ast.expr):
            return found
        found.append(value)
        if isinstance(value, ast.Call):
            written = [f for f in functions(site.file, call_name(value)) if isinstance(f, ast.FunctionDef)]
            return found + (written if len(written) == 1 and written[0].name != "forward" else [])
        if not isinstance(value, ast.Name):
            return found
    return found


def _scope(site: Site) -> ast.AST | None:
    around = function_of(site)
    return None if isinstance(around, ast.Module) else around
