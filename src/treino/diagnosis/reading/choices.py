"""Choices that look at test figures, as the source says them: followed from the line that computes the
figure to the ``if``, the ``max`` or the stopper that decides by it.
"""

import ast
from collections.abc import Mapping, Set
from types import MappingProxyType

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.names import says_train, says_validation, words
from treino.diagnosis.reading.provenance import assigned_names, data_names, target_names
from treino.diagnosis.reading.source import call_name, called, tree

PICKS = ("max", "min", "argmax", "argmin", "idxmax", "idxmin", "nanargmax", "nanargmin", "nlargest", "sorted")
STOPS = {"stop", "stopper", "stopping", "scheduler", "sched", "plateau", "checkpoint", "early"}
STOPS |= {"parada", "parar", "paciencia", "patience"}
SEARCHES = ("optimize", "fmin", "gp_minimize", "forest_minimize", "gbrt_minimize", "differential_evolution")
KEEPS = ("state_dict", "deepcopy", "save", "clone", "copy")
NONE: Mapping[str, int] = MappingProxyType({})
ORDERINGS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class Figures:
    """Names that hold test figures, and the lines that computed them.

    validated: names that hold figures of validation rows, alone or beside those of test rows.
    """

    def __init__(
        self,
        path: str,
        module: ast.Module,
        test_lines: set[int],
        other_lines: Set[int],
        made: Mapping[str, int],
    ) -> None:
        self.path, self.test_lines, self.other_lines = path, test_lines, other_lines
        self.validated: set[str] = set()
        self.made = dict(made)
        self.functions: set[str] = set()
        self.module = module
        for _ in range(6):  # to the end of the longest chain of names
            before = len(self.made), len(self.functions), len(self.validated)
            for node in ast.walk(module):
                self._follow(node)
            if (len(self.made), len(self.functions), len(self.validated)) == before:
                break

    def _follow(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            pairs: list[tuple[ast.AST, ast.AST]] = []
            for target in node.targets:
                if (
                    isinstance(target, ast.Tuple)
                    and isinstance(node.value, ast.Tuple)
                    and len(target.elts) == len(node.value.elts)
                ):
                    pairs += zip(target.elts, node.value.elts, strict=True)
                else:
                    pairs.append((target, node.value))
            for given, value in pairs:
                self._give(given, value, node.lineno)
        elif isinstance(node, ast.AugAssign) and self.holds(node.value):
            self._mark(node.target, node.lineno)
        elif isinstance(node, (ast.For, ast.comprehension)) and self.holds(node.iter, calls=False):
            self._mark(node.target, getattr(node, "lineno", node.iter.lineno))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("append", "extend", "add", "update"):
                for a in node.args:
                    self._give(node.func.value, a, node.lineno)
        elif isinstance(node, ast.FunctionDef):
            returns = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
            if any(self.holds(value) for value in returns) and node.name not in ("forward", "__init__"):
                self.functions.add(node.name)

    def _give(self, target: ast.AST, value: ast.AST, line: int) -> None:
        base = target
        while isinstance(base, ast.Subscript):
            base = base.value
        if self._validates(value):
            self.validated |= target_names(base)
        if self.holds(value):
            self._mark(base, line)

    def _mark(self, target: ast.AST, line: int) -> None:
        for name in target_names(target):
            if not says_validation({name}) and not says_train({name}) and "best" not in words(name):
                self.made.setdefault(name, line)

    def holds(self, value: ast.AST, *, calls: bool = True) -> bool:
        """Whether an expression is, or is made of, a test figure."""
        names = data_names(value)
        asked = (n.slice for n in ast.walk(value) if isinstance(n, ast.Subscript))
        keys = {k.value for k in asked if isinstance(k, ast.Constant) and isinstance(k.value, str)}
        if says_validation(names | keys):
            return False
        computed = calls and any(isinstance(n, ast.Call) for n in ast.walk(value))
        if computed and any(line in self.test_lines for line in _lines(value)):
            return True
        if names & self.validated:  # which of the figures decides isn't known
            return False
        return bool(names & self.made.keys() or called(value, *self.functions))

    def _validates(self, value: ast.AST) -> bool:
        """Whether an expression is, or has as a part, a figure of validation rows."""
        names = data_names(value)
        if names & self.validated or says_validation(names):
            return True
        calls = (n for n in ast.walk(value) if isinstance(n, ast.Call))
        return any(self.other_lines & {*_lines(n)} for n in calls)

    def line_of(self, value: ast.AST, default: int) -> int:
        """The line that computed the figure nearest before a place."""
        lines = [self.made[n] for n in data_names(value) & self.made.keys()]
        before = [line for line in lines if line <= default]
        return max(before) if before else default


def _lines(node: ast.AST) -> range:
    return range(getattr(node, "lineno", 0), (getattr(node, "end_lineno", 0) or 0) + 1)


def chosen_on_test(
    path: str,
    test_lines: set[int],
    other_lines: Set[int] = frozenset(),
    made: Mapping[str, int] = NONE,
) -> Site | None:
    """A choice by a figure of test rows; the line that computes the figure.

    test_lines: lines on which test rows, and no others, were evaluated; other_lines: so of validation rows.
    made: names that are known to hold such figures, and their lines.
    """
    module = tree(path)
    if module is None:
        return None
    figures = Figures(path, module, test_lines, other_lines, made)
    if not figures.made and not figures.functions:
        return None
    for node in ast.walk(module):
        place = None
        if isinstance(node, ast.If):
            place = _kept(node, figures)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            place = _taken(node, node.value, figures)
        elif isinstance(node, ast.Call):
            place = _picked(node, figures, module)
        elif isinstance(node, ast.Assign):
            place = _first_of_sorted(node, figures, module)
        if place is not None:
            return Site(path, place)
    return None


def _kept(node: ast.If, figures: Figures) -> int | None:
    """``if score > best: best = score`` or ``break``, or a stopper that is asked."""
    asked = [n for n in ast.walk(node.test) if isinstance(n, ast.Call) and (n.args or n.keywords)]
    if not any(figures.holds(n, calls=False) for n in (*asked, *_ordered(node.test))):
        return None
    body = ast.Module(node.body, [])
    given = assigned_names(body)
    keeps = bool(called(body, *KEEPS)) or any(isinstance(n, ast.Break) for n in ast.walk(node))
    keeps = keeps or bool(given & data_names(node.test)) or any("best" in words(n) for n in given)
    return figures.line_of(node.test, node.lineno) if keeps else None


def _taken(node: ast.Assign, value: ast.IfExp, figures: Figures) -> int | None:
    """``best, kept = (score, lr) if score > best else (best, kept)``"""
    if not any(figures.holds(n, calls=False) for n in _ordered(value.test)):
        return None
    given = {n for t in node.targets for n in target_names(t)}
    keeps = bool(given & data_names(value.test)) or _is_best(given)
    return figures.line_of(value.test, node.lineno) if keeps else None


def _ordered(test: ast.AST) -> list[ast.Compare]:
    """The comparisons of a condition that ask which is more: a word that is the last of a text is none."""
    compares = (n for n in ast.walk(test) if isinstance(n, ast.Compare))
    return [c for c in compares if any(isinstance(op, ORDERINGS) for op in c.ops)]


def _picked(node: ast.Call, figures: Figures, module: ast.Module) -> int | None:
    """``best = max(results)``, or a figure given to a stopper or to a schedule."""
    func = node.func
    if call_name(node) in PICKS:
        if _of_each_row(node):
            return None
        looked = [*node.args, *([func.value] if isinstance(func, ast.Attribute) else [])]
        if any(figures.holds(a, calls=False) for a in looked) and _best(module, node):
            return node.lineno
    elif any(figures.holds(a, calls=False) for a in node.args) and tells_stopper(node):
        return node.lineno
    elif call_name(node) in SEARCHES:
        return _searched([*node.args, *(k.value for k in node.keywords)], figures, module)
    return None


def _searched(given: list[ast.expr], figures: Figures, module: ast.Module) -> int | None:
    """``study.optimize(objective)``: the line of the figure that the function gives back to the search."""
    names = {a.id for a in given if isinstance(a, ast.Name)} & figures.functions
    for function in (n for n in ast.walk(module) if isinstance(n, ast.FunctionDef) and n.name in names):
        backs = (n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None)
        lines = [figures.line_of(n.value, n.lineno) for n in backs if n.value and figures.holds(n.value)]
        if lines:
            return lines[0]
    return None


def _of_each_row(call: ast.Call) -> bool:
    """``logits.max(1)``: of each row, none is picked of several."""
    axes = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("dim", "axis"))]
    last = {"1", "-1"} & {ast.unparse(a) for a in axes}
    return isinstance(call.func, ast.Attribute) and bool(last)


def tells_stopper(call: ast.Call) -> bool:
    """Whether a call tells something to a stopper or to a schedule, rather than making one."""
    of = data_names(call.func.value) if isinstance(call.func, ast.Attribute) else set()
    name = call_name(call)
    return bool(STOPS & {w for n in {name, *of} for w in words(n)}) and not name[:1].isupper()


def _first_of_sorted(node: ast.Assign, figures: Figures, module: ast.Module) -> int | None:
    """``ranking.sort(); best = ranking[0]``"""
    names = {n for t in node.targets for n in target_names(t)}
    if not isinstance(node.value, ast.Subscript) or not _is_best(names):
        return None
    if not figures.holds(node.value.value):
        return None
    held = data_names(node.value.value)
    for call in called(module, "sort", "sorted", "argsort", "sort_values"):
        within = [n for n in ast.walk(module) if isinstance(n, ast.Assign) and n.value is call]
        given = {n for w in within for t in w.targets for n in target_names(t)}
        if held & (given | data_names(call)):
            return node.lineno
    return None


def _is_best(names: set[str]) -> bool:
    return bool({"best", "top", "winner", "chosen", "champion"} & {w for n in names for w in words(n)})


def _best(module: ast.Module, call: ast.Call) -> bool:
    """Whether what is picked becomes the best: by its name, or by what is printed of it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and any(n is call for n in ast.walk(node.value)):
            names = {n for t in node.targets for n in target_names(t)}
            return _is_best(names)
        if isinstance(node, ast.Expr) and any(n is call for n in ast.walk(node)):
            return any("best" in str(n.value).lower() for n in ast.walk(node) if isinstance(n, ast.Constant))
    return False
