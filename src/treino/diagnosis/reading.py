"""What names say: test-like words, permutations that miss an array, choices that look at test figures."""

import ast
import re

from treino.diagnosis.finding import Site
from treino.diagnosis.source import assignment, called, enclosing, names_in, statement_at, tree

_TEST = re.compile(r"^(test|tests|testing|te|held|holdout|heldout|unseen|xte|xtest|ytest)$")
_VALIDATION = re.compile(r"^(val|valid|validation|dev|va|xval|xva)$")
_DRAWS = ("randperm", "permutation")


def words(name: str) -> list[str]:
    """The words of an identifier, lower case: ``X_testLoader`` → x, test, loader."""
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def says_test(names: set[str]) -> bool:
    """Whether a name speaks of test data (masks and indices of a common table don't count)."""
    return any(
        _TEST.match(w) for n in names for w in words(n) if not {"mask", "idx", "index"} & set(words(n))
    )


def says_validation(names: set[str]) -> bool:
    """Whether a name speaks of validation data."""
    return any(_VALIDATION.match(w) for n in names for w in words(n))


def says_train(names: set[str]) -> bool:
    """Whether a name speaks of training data."""
    return any(w in ("train", "training", "tr", "xtr", "xtrain") for n in names for w in words(n))


def names_of_evaluation(stack: tuple[Site, ...]) -> set[str]:
    """Names that say which rows are evaluated: arguments of the calls on the stack and what loops run
    over.
    """
    found: set[str] = set()
    for site in stack:
        statement = statement_at(site)
        if statement is None or isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue
        calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call) and n.lineno <= site.line]
        for call in calls if not isinstance(statement, (ast.For, ast.While, ast.With, ast.If)) else ():
            for argument in [*call.args, *(k.value for k in call.keywords)]:
                if not isinstance(argument, (ast.Constant, ast.JoinedStr)):
                    found |= names_in(argument)
        for node in enclosing(site):
            if isinstance(node, (ast.For, ast.comprehension)):
                found |= names_in(node.iter)
        for node in ast.walk(statement):
            if isinstance(node, ast.comprehension):
                found |= names_in(node.iter)
        around = [n for n in enclosing(site) if isinstance(n, ast.FunctionDef)]
        if around:
            found |= {around[-1].name} if site is stack[0] and around[-1].name != "forward" else set()
    return found


def lonely_permutation(path: str) -> Site | None:
    """A permutation that reorders one of two arrays: used as an index of a single name, or drawn anew
    for each.
    """
    module = tree(path)
    if module is None:
        return None
    drawn: dict[str, int] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and called(node.value, *_DRAWS) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
                drawn[target.id] = node.lineno
    bases: dict[str, set[str]] = {name: set() for name in drawn}
    lines: dict[str, int] = {}
    fresh: list[ast.Subscript] = []
    other_uses: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Subscript):
            inside = names_in(node.slice)
            base = next((n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)), "")
            for name in inside & drawn.keys():
                bases[name].add(base)
                lines[name] = node.lineno
            if called(node.slice, *_DRAWS):
                fresh.append(node)
        elif isinstance(node, (ast.For, ast.comprehension, ast.Call)):
            used = node.iter if isinstance(node, (ast.For, ast.comprehension)) else node
            other_uses |= names_in(used) & drawn.keys()
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in drawn:
            other_uses.add(node.value.id)
    if len(fresh) >= 2:
        return Site(path, fresh[0].lineno)
    for node in ast.walk(module):  # x = x[torch.randperm(n)]
        if isinstance(node, ast.Assign) and fresh and node.value is fresh[0]:
            own = {n.id for n in ast.walk(fresh[0].value) if isinstance(n, ast.Name)}
            return Site(path, node.lineno) if {t.id for t in _targets(node)} == own else None
    for name, of in bases.items():
        if len(of) == 1 and name not in other_uses:
            return Site(path, lines[name])
    return None


def chosen_on_test(path: str, test_lines: set[int]) -> Site | None:
    """An ``if`` that keeps the best, or stops, by a figure of test data; the line that computes the
    figure.
    """
    module = tree(path)
    if module is None:
        return None
    for node in ast.walk(module):
        if isinstance(node, ast.If):
            compared = [n for n in ast.walk(node.test) if isinstance(n, ast.Compare)]
            keeps = bool(called(node, "state_dict", "deepcopy", "save", "clone", "copy")) or any(
                isinstance(n, ast.Break) for n in ast.walk(node)
            )
            best = {t.id for n in ast.walk(node) if isinstance(n, ast.Assign) for t in _targets(n)}
            keeps = keeps or any("best" in words(b) for b in best)
            for comparison in compared if keeps else ():
                place = _figure_of_test(path, comparison, node, test_lines)
                if place is not None:
                    return place
        elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ("max", "min", "argmax", "argmin", "idxmax") and any(
                "best" in words(n) for n in _assigned_to(module, node)
            ):
                used = set().union(*(names_in(a) for a in node.args)) if node.args else set()
                if says_test(used) and not says_validation(used):
                    return Site(path, node.lineno)
            elif name == "step" and node.args and says_test(names_in(node.args[0])):
                return Site(path, node.lineno)
    return None


def _targets(node: ast.Assign) -> list[ast.Name]:
    return [n for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def _assigned_to(module: ast.Module, call: ast.Call) -> set[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and any(n is call for n in ast.walk(node.value)):
            return {t.id for t in _targets(node)}
    return set()


def _figure_of_test(path: str, comparison: ast.Compare, node: ast.If, test_lines: set[int]) -> Site | None:
    names = {n.id for n in ast.walk(comparison) if isinstance(n, ast.Name)}
    if says_validation(names):
        return None
    for name in names:
        made = assignment(Site(path, node.lineno), name, follow=False)
        statement = statement_at(made) if made is not None else None
        source = names_in(statement) if isinstance(statement, (ast.Assign, ast.AugAssign)) else set()
        if says_validation(source):
            return None
        of_test = made is not None and (says_test({name}) or says_test(source) or made.line in test_lines)
        if of_test and "best" not in words(name):
            return made
    return None


def split_line(path: str) -> Site | None:
    """The first line that cuts a table by position: ``x[:n], x[n:]``, or Subset(range(...))."""
    module = tree(path)
    if module is None:
        return None
    lines = []
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            cuts = [
                n
                for n in ast.walk(node.value)
                if isinstance(n, ast.Slice) and (n.lower is None) != (n.upper is None)
            ]
            target = {t.id for t in _targets(node)}
            if cuts and (says_train(target) or says_test(target) or says_validation(target)):
                lines.append(node.lineno)
        elif isinstance(node, ast.Call) and called(node, "Subset") and called(node, "range"):
            lines.append(node.lineno)
    return Site(path, min(lines)) if lines else None


def keyword_line(path: str, keyword: str, default: Site | None) -> Site | None:
    """Where a keyword (or a key) is given a value other than zero: the nearest such line to the default."""
    module = tree(path)
    if module is None or default is None:
        return default
    lines = []
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg == keyword and not _is_zero(node.value):
            lines.append(node.value.lineno)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == keyword and not _is_zero(value):
                    lines.append(value.lineno)
    if not lines:
        return default
    return Site(path, min(lines, key=lambda n: abs(n - default.line)))


def _is_zero(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in (0, 0.0, None)
