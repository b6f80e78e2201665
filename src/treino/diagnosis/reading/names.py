"""What names say: test-like words, permutations that miss an array, cuts by position."""

import ast
import re
import unicodedata
from itertools import zip_longest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import step_back
from treino.diagnosis.reading.provenance import Function, data_names, origins, target_names
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    called,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.watch.where import Spot

# In the languages, too, in which people name their variables; and what they write in one: ``testloader``.
_WHOLE = "(loader|lader|set|satz|data|daten|dataset|dl|ds|iter|menge)?"
_TEST = re.compile(
    r"^(tests|testing|te|tst|held|hold|holdout|heldout|unseen|xte|xtest|ytest|teste|testes|prueba|pruebas|pru"
    rf"|test{_WHOLE})$"
)
_VALIDATION = re.compile(
    r"^(validation|dev|va|xval|xva|vld|validacao|validacion|validierung|validazione|pruefung|prufung"
    rf"|(val|valid|pruef|pruf){_WHOLE})$"
)
_ROWS = {"x", "y", "inputs", "features", "rows", "data", "df", "set", "loader", "frame", "table"}

_PARTS = ("split", "part", "subset", "stage", "phase", "mode", "partition")

_TRAIN = re.compile(
    r"^(training|trainings|tr|xtr|xtrain|trn|treino|treinamento|entreno|entrenamiento|entrainement"
    rf"|addestramento|apprentissage|(train|trainings){_WHOLE})$"
)


def words(name: str) -> list[str]:
    """The words of an identifier, lower case and without accents: ``X_testLoader`` → x, test, loader."""
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def says_test(names: set[str]) -> bool:
    """Whether a name speaks of test data (masks and indices of a common table don't count)."""
    plain = [words(n) for n in names if not {"mask", "idx", "index", "indices"} & set(words(n))]
    return any(_TEST.match(w) for of in plain for w in of) or any(_later(of) for of in plain)


def _later(of: list[str]) -> bool:
    """``x_future``: rows of a time that is still to come, not the part of a series that is to be told."""
    return len(of) == 2 and "future" in of and bool(_ROWS & {*of})


def says_validation(names: set[str]) -> bool:
    """Whether a name speaks of validation data."""
    return any(_VALIDATION.match(w) for n in names for w in words(n))


def says_train(names: set[str]) -> bool:
    """Whether a name speaks of training data."""
    return any(_TRAIN.match(w) for n in names for w in words(n))


def names_of_evaluation(stack: tuple[Site, ...], spots: tuple[Spot, ...] = ()) -> set[str]:
    """Names that say which rows are evaluated: arguments of the calls on the stack and what loops run over;
    where they say nothing, the names that they were made of.

    spots: which call runs on each line, so that its neighbours' arguments don't count.
    """
    found: set[str] = set()
    made: set[str] = set()
    inner: tuple[Site, set[str]] | None = None  # the line before, and its names
    for site, spot in zip_longest(stack, spots[: len(stack)]):
        statement = statement_at(site)
        if statement is None or isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue
        own: set[str] = set()
        beside = _beside(statement, spot) | _handed_else(site, spot, inner)
        calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call) and n.lineno <= site.line]
        for call in calls if not isinstance(statement, (ast.For, ast.While, ast.With, ast.If)) else ():
            for argument in [*call.args, *(k.value for k in call.keywords)]:
                said = argument.value if isinstance(argument, ast.Constant) else None
                mine = id(argument) not in beside
                if isinstance(said, str) and said.isalpha() and _speaks({said}) and mine:
                    own.add(said)  # accuracy("test")
                nodes = {id(n) for n in ast.walk(argument) if isinstance(n, ast.expr)}
                if not isinstance(argument, (ast.Constant, ast.JoinedStr)) and not nodes & beside:
                    own |= _rows_named(argument)
        for node in enclosing(site):
            if isinstance(node, (ast.For, ast.comprehension)):
                own |= names_in(node.iter) | _parts_in_turn(node.iter)
        for node in ast.walk(statement):
            if isinstance(node, ast.comprehension):
                own |= names_in(node.iter)
        around = [n for n in enclosing(site) if isinstance(n, ast.FunctionDef)]
        found |= own
        made |= _made_of(site, own)
        inner = site, own
        if around:
            found |= {around[-1].name} if site is stack[0] and around[-1].name != "forward" else set()
    if _speaks(found):
        return found
    kept, aside = _parted(stack[0].file) if stack else (set(), set())
    return found | made | ({"val"} if found & aside and not found & kept else set())


def _parts_in_turn(iterated: ast.expr) -> set[str]:
    """What a loop over words says: ``for phase in ("train", "test")``."""
    items = iterated.elts if isinstance(iterated, (ast.List, ast.Tuple)) else []
    said = {n.value for n in items if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {word for word in said if word.isalpha() and _speaks({word})}


def _speaks(names: set[str]) -> bool:
    return says_test(names) or says_validation(names) or says_train(names)


def _made_of(site: Site, names: set[str]) -> set[str]:
    """What these names are made of: as far back as something speaks of rows, the nearest of all that does."""
    made: set[str] = set()
    for depth in range(1, 5):
        made = origins(site, names, depth)
        if _speaks(made):
            return made
    return made | next((told for name in sorted(names) if _speaks(told := _given_back(site, name))), set())


def _given_back(site: Site, name: str) -> set[str]:
    """What a function of the file gives for a name is made of in there: ``train, check = loaders(k)``."""
    step = step_back(name, site)
    if step is None or function_of(step.site) is function_of(site):
        return set()
    if isinstance(step.value, ast.Name):
        step = step_back(step.value.id, step.site) or step
    return data_names(step.value)


def _parted(path: str) -> tuple[set[str], set[str]]:
    """Names of the first and of the second parts that ``train_test_split`` gives: ``A, B, a, b``."""
    module = tree(path)
    kept: set[str] = set()
    aside: set[str] = set()
    for node in ast.walk(module) if module is not None else ():
        split = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if split and call_name(node.value) == "train_test_split" and isinstance(node.targets[0], ast.Tuple):  # type: ignore[attr-defined]
            names = [n.id if isinstance(n, ast.Name) else "" for n in node.targets[0].elts]  # type: ignore[attr-defined]
            if {*names[::2]} <= {"_", "__", "unused"}:
                continue  # so many rows are drawn, and the others are left
            kept |= {n for n in names[::2] if n}
            aside |= {n for n in names[1::2] if n}
    return kept, aside


def _beside(statement: ast.stmt, spot: Spot | None) -> set[int]:
    """Nodes of the calls in a statement that call the same function as the one that runs, for other rows; of
    those that only count training rows; and of what is shown beside it.
    """
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
    runs = next((n for n in calls if _spot(n) == spot), None)
    if runs is None:
        return set()
    inside = set(ast.walk(runs))
    same = [n for n in calls if n is not runs and ast.dump(n.func) == ast.dump(runs.func)]
    counts = [n for n in calls if call_name(n) == "len" and n not in inside]
    same += [n for n in counts if says_train(names_in(n))]
    shown = [a for n in calls if call_name(n) in ("print", "append") for a in n.args]
    others = [list(ast.walk(n)) for n in (*same, *shown)]
    words = {id(n) for call in calls for n in _words_of_others(call, runs, same)}
    return words | {id(n) for nodes in others if runs not in nodes for n in nodes if isinstance(n, ast.expr)}


def _handed_else(site: Site, spot: Spot | None, inner: tuple[Site, set[str]] | None) -> set[int]:
    """Nodes of what a call hands to a function for anything else than the evaluation inside, where it says
    of the rows there which they are: ``work(net, train_loader, test_loader)``, for ``in test_loader``.
    """
    around = function_of(inner[0]) if inner is not None else None
    call = call_at(site, spot) if spot is not None else None
    if inner is None or call is None or not isinstance(around, Function) or call_name(call) != around.name:
        return set()
    if any(isinstance(a, ast.Starred) for a in call.args):
        return set()
    loops = (n for n in ast.walk(statement_at(inner[0]) or around) if isinstance(n, ast.comprehension))
    asked = inner[1] - set().union(*(target_names(n.target) for n in loops))
    asked |= origins(inner[0], asked, 2)
    known = [a.arg for a in (*around.args.posonlyargs, *around.args.args)]
    known = known[1:] if known[:1] in (["self"], ["cls"]) else known
    bound = [*zip(known, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
    used = [value for name, value in bound if name in asked]
    if not _speaks(set().union(*map(_rows_named, used))):
        return set()
    rest = [value for _, value in bound if value not in used]
    return {id(n) for value in rest for n in ast.walk(value) if isinstance(n, ast.expr)}


def _words_of_others(call: ast.Call, runs: ast.Call, same: list[ast.Call]) -> list[ast.expr]:
    """The words that stand before another call: the first of ``print("train", f(a), "test", f(b))``."""
    found: list[ast.expr] = []
    before: list[ast.expr] = []
    for argument in call.args:
        inside = list(ast.walk(argument))
        if isinstance(argument, ast.Constant):
            before.append(argument)
        elif runs in inside or any(n in inside for n in same):
            found += [] if runs in inside else before
            before = []
    return found


def _spot(node: ast.expr) -> Spot:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _rows_named(argument: ast.AST) -> set[str]:
    """Names of rows in an argument: ``x[test_idx]`` and ``parts["test"]`` say test, ``net(x)[test_mask]``
    doesn't.
    """
    found: set[str] = set()
    for node in ast.walk(argument):
        if isinstance(node, ast.Subscript) and not any(isinstance(n, ast.Call) for n in ast.walk(node.value)):
            found |= {re.sub("mask|idx|index|indices", "rows", n.lower()) for n in names_in(node.slice)}
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                found.add(node.slice.value)
        if isinstance(node, ast.Call):  # data.loader("test")
            told = (*node.args[:1], *(k.value for k in node.keywords if k.arg in _PARTS))
            found |= {v.value for v in told if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    return found | names_in(argument)


def _targets(node: ast.Assign) -> list[ast.Name]:
    return [n for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def split_line(path: str) -> Site | None:
    """The first line that cuts a table by position: ``x[:n], x[n:]``, or Subset(range(...))."""
    module = tree(path)
    if module is None:
        return None
    lines = []
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            cuts: list[ast.AST] = [
                n
                for n in ast.walk(node.value)
                if isinstance(n, ast.Slice) and (n.lower is None) != (n.upper is None)
            ]
            cuts += called(node.value, "head", "tail")
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


def sums_norms(site: Site) -> bool:
    """Whether a file squares, or takes norms of, each of a net's parameters in a loop."""
    module = tree(site.file)
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.For) and called(node.iter, "parameters", "named_parameters"):
            powers = any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) for n in ast.walk(node))
            adds = called(node, "pow", "square", "norm", "abs") or powers
            if adds and not called(node, "pow_", "mul_", "add_") and "grad" not in names_in(node):
                return True
    return False


def norm_line(site: Site) -> Site | None:
    """The line that gives the factor of a penalty on parameters, or adds it up: in a file that has one."""
    module = tree(site.file)
    for node in ast.walk(module) if module is not None else ():
        squares: list[ast.AST] = []
        if isinstance(node, ast.stmt):
            squares += called(node, "pow", "square", "norm", "abs")
            squares += [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow)]
        summed = squares and not hasattr(node, "body") and called(node, "sum", "norm")
        if summed and called(node, "parameters", "named_parameters"):
            return Site(site.file, node.lineno)  # type: ignore[attr-defined]
    return None
