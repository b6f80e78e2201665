"""Where a setting is written that a line reads by name: a constant, a field of a class, a table or a text of
settings, a command line's default, an argument.
"""

import ast
import linecache
import re
from collections.abc import Callable, Iterator
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import Step, arguments, defaults, kept_as, parameters, returned_part
from treino.diagnosis.reading.provenance import Function, definitions, target_names
from treino.diagnosis.reading.source import (
    call_name,
    called,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)

Fits = Callable[[object], bool]
Further = Callable[[Site, ast.AST], list[Site]]
Speaks = Callable[[str], bool]
Placed = tuple[Site, ast.AST]
GETS = ("get", "getattr", "pop", "setdefault")
CASTS = ("int", "float", "str", "lower", "strip")
BATCHES = ("DataLoader", "BatchSampler", "range", "split", "chunk", "batches", "iterate_batches")
DEEP = 6  # names, one made of the other


def one_place(found: list[Site]) -> Site | None:
    """The one line among these; None where there are none or several."""
    return found[0] if len({(s.file, s.line) for s in found}) == 1 else None


def setting_name(value: ast.AST) -> str:
    """The name by which an expression reads a setting: ``cfg.lr``, ``cfg["lr"]``, ``float(cfg.get("lr"))``;
    empty for others.
    """
    if isinstance(value, ast.UnaryOp):
        return setting_name(value.operand)
    if isinstance(value, ast.Call):
        if call_name(value) in GETS:
            keys = value.args[1:2] if call_name(value) == "getattr" else value.args[:1]
        else:
            keys = value.args[:1] if call_name(value) in CASTS else []
            return setting_name(keys[0]) if keys else ""
    else:
        keys = [value.slice] if isinstance(value, ast.Subscript) else []
    named = keys[0].value if keys and isinstance(keys[0], ast.Constant) else None
    named = named or getattr(value, "attr", None) or getattr(value, "id", None)
    return named if isinstance(named, str) else ""


def places(
    site: Site,
    value: ast.AST,
    fits: Fits,
    *,
    deep: int = DEEP,
    within: bool = False,
    another: Speaks | None = None,
) -> list[Site]:
    """Where the constants stand that an expression on this line may mean, and that fit.

    within: what calls are given counts, too (of a word that chooses what they make).
    another: whether the name of a setting speaks of something else than what it is used for: then the line
    that uses it is to blame, and not the setting.
    """
    if another is not None and (name := setting_name(value)) and another(name):
        used = Site(site.file, getattr(value, "lineno", site.line))
        return [used] if places(site, value, fits, deep=deep, within=within) else []

    def further(place: Site, v: ast.AST) -> list[Site]:
        return places(place, v, fits, deep=deep - 1, within=within, another=another)

    if isinstance(value, ast.Constant):
        return [Site(site.file, value.lineno)] if fits(value.value) else []
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        return places(site, value.operand, lambda n: isinstance(n, (int, float)) and fits(-n), deep=deep)
    if isinstance(value, (ast.UnaryOp, ast.Starred)) or deep <= 0:
        return []
    parts: list[ast.AST] = []
    if isinstance(value, ast.IfExp):
        parts = [value.body, value.orelse]
    elif isinstance(value, ast.BoolOp):
        parts = list(value.values)
    elif isinstance(value, ast.Call) and call_name(value) in GETS and value.args:
        return _got(site, value, further, within=within, fits=fits)
    elif isinstance(value, ast.Call) and (within or call_name(value) in CASTS):
        parts = [*value.args, *(k.value for k in value.keywords), value.func]
    if parts:
        return [s for p in parts for s in further(site, p)]
    given: list[Placed] = []
    if isinstance(value, ast.Name):
        given = _named(site, value.id)
    elif isinstance(value, ast.Attribute):
        around = function_of(site)
        given = [(s.site, s.value) for s in kept_as(value.attr, site, around)] if around is not None else []
        given = given or _keyed(site.file, value.attr)
        if within and not given:
            return further(site, value.value)
    elif isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
        return _at_key(site, value.slice, further, within=within, fits=fits)
    elif isinstance(value, ast.Subscript) and within:
        given = [(site, value.slice)]
    return [s for place, v in given if v is not value for s in further(place, v)]


def _got(site: Site, call: ast.Call, further: Further, *, within: bool, fits: Fits) -> list[Site]:
    """``settings.get(key, default)``, ``getattr(settings, key, default)``"""
    at = 1 if call_name(call) == "getattr" else 0
    key = call.args[at] if len(call.args) > at else call.args[-1]
    if not isinstance(key, ast.Constant):
        return further(site, key) if within else []
    found = _at_key(site, key, further, within=within, fits=fits)
    return found or [s for d in call.args[at + 1 :] for s in further(site, d)]


def _at_key(site: Site, key: ast.Constant, further: Further, *, within: bool, fits: Fits) -> list[Site]:
    """``settings["key"]``; a word may itself be the key of the table that it is looked up in."""
    if within and fits(key.value):
        return [Site(site.file, key.lineno)]
    if not isinstance(key.value, str):
        return []
    return [s for place, v in _keyed(site.file, key.value) for s in further(place, v)]


def _named(site: Site, name: str) -> list[Placed]:
    """What a name is given: in its function, as an argument of it, or in the module."""
    around = function_of(site)
    made = definitions(site, name)
    own = any(g.function is around for g in made)
    if isinstance(around, Function) and not own and name in parameters(around):
        given: list[Placed] = [(Site(site.file, c.lineno), v) for c, v in arguments(site.file, around, name)]
        return given or [(Site(site.file, d.lineno), d) for d in defaults(around).get(name, ())]
    steps = [Step(Site(site.file, g.line), g.value) for g in made if not g.loop]
    steps = [returned_part(step, name) or step for step in steps]
    return [(step.site, step.value) for step in steps]


def keyed(path: str, key: str, fits: Fits, another: Speaks | None = None) -> list[Site]:
    """Where the constants stand that the file's settings give a key, and that fit."""
    return [s for place, v in _keyed(path, key) for s in places(place, v, fits, another=another)]


def _keyed(path: str, key: str) -> list[Placed]:
    """What the file's settings give a key: by calls and assignments, or else by a default or a text."""
    module = tree(path)
    given: list[Placed] = []
    otherwise: list[Placed] = []
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.ClassDef):
            otherwise += [(Site(path, n.lineno), v) for n in node.body if (v := _field(n, key)) is not None]
            if called(node, "save_hyperparameters"):  # Lightning keeps the arguments as settings
                made = next((n for n in node.body if isinstance(n, Function) and n.name == "__init__"), None)
                told = defaults(made).get(key, ()) if made is not None else ()
                otherwise += [(Site(path, d.lineno), d) for d in told]
        elif isinstance(node, ast.Call):
            given += [(Site(path, k.value.lineno), k.value) for k in node.keywords if k.arg == key]
            if call_name(node) in ("add_argument", "option") and key in _flags(node):
                otherwise += [(Site(path, v.lineno), v) for v in _defaults(node)]
        elif isinstance(node, ast.Dict):
            for k, v in zip(node.keys, node.values, strict=True):
                if isinstance(k, ast.Constant) and k.value == key:
                    given.append((Site(path, v.lineno), v))
        elif isinstance(node, ast.Assign):
            given += [(Site(path, node.lineno), node.value) for t in node.targets if _is_place(t, key)]
    return given + (otherwise or list(_texts(path, module, key)))


def _field(node: ast.stmt, key: str) -> ast.expr | None:
    """The value that the body of a class gives a name."""
    if isinstance(node, ast.AnnAssign) and target_names(node.target) == {key}:
        value = node.value
        made = {k.arg: k.value for k in value.keywords} if isinstance(value, ast.Call) else {}
        return made.get("default", value)
    if isinstance(node, ast.Assign) and any(target_names(t) == {key} for t in node.targets):
        return node.value
    return None


def _flags(call: ast.Call) -> set[str]:
    """The names of a command line's argument: ``--batch-size`` is batch_size."""
    said = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    said += [str(getattr(k.value, "value", "")) for k in call.keywords if k.arg == "dest"]
    return {w.lstrip("-").replace("-", "_") for w in said}


def _defaults(call: ast.Call) -> list[ast.expr]:
    """What an argument of a command line is where it isn't given."""
    said = {k.arg: k.value for k in call.keywords}
    action = getattr(said.get("action"), "value", None)
    if "default" not in said and action in ("store_true", "store_false"):
        return [ast.Constant(action == "store_false", lineno=call.lineno, col_offset=0)]
    return [said["default"]] if "default" in said else []


def _is_place(target: ast.AST, key: str) -> bool:
    """``settings["key"]``, ``settings.key`` on the left of an assignment."""
    if isinstance(target, ast.Subscript):
        return isinstance(target.slice, ast.Constant) and target.slice.value == key
    return isinstance(target, ast.Attribute) and target.attr == key


def _texts(path: str, module: ast.Module | None, key: str) -> Iterator[Placed]:
    """``"key": value`` or ``key: value`` in a string of JSON, YAML or TOML."""
    pattern = re.compile(rf"""(?<![\w-])["']?{re.escape(key)}["']?\s*[:=]\s*["']?([\w.+-]+)["']?""")
    texts = [
        n
        for n in (ast.walk(module) if module is not None else ())
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and key in n.value
    ]
    for text in texts:
        for line in range(text.lineno, (text.end_lineno or text.lineno) + 1):
            said = pattern.search(linecache.getline(path, line))
            if said is not None:
                constant = ast.Constant(_read(said[1]), lineno=line, col_offset=0)
                yield Site(path, line), constant


def _read(said: str) -> Any:
    plain = {"true": True, "false": False, "null": None}
    try:
        return plain[said] if said in plain else ast.literal_eval(said)
    except (ValueError, SyntaxError):
        return said


def set_number(site: Site | None, keyword: str, fits: Fits, *calls: str) -> Site | None:
    """Where the number is written that these calls (or any) on this line, or in the head of this loop, are
    given by keyword or otherwise; None where that is not known.
    """
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return None
    header = statement.iter if isinstance(statement, ast.For) else statement
    made = [n for n in ast.walk(header) if isinstance(n, ast.Call)]
    named = [c for c in made if not calls or call_name(c) in calls]
    given: list[ast.AST] = [k.value for call in named for k in call.keywords if k.arg == keyword]
    if not given:
        given = [a for call in made if call_name(call) in (calls or BATCHES) for a in call.args]

    def numbers(value: object) -> bool:
        return type(value) is int and fits(value)

    return one_place([s for v in given for s in places(site, v, numbers)])


def chosen(site: Site | None, *words: str) -> Site | None:
    """Where the word (or the flag) is written by which what is made on this line was chosen; the line itself
    where it says so plainly, or where there is no one such place.
    """
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return site
    meant = {w.lower() for w in words}
    tables = _tables(site.file, meant)
    keys = {*meant, *(key for found in tables.values() for key in found)}

    def fits(value: object) -> bool:
        return isinstance(value, str) and (value in keys or value.lower() in meant)

    found: list[Site] = []
    if _says(statement, meant):
        found = _by_test(site, statement, meant)
        for line, key in _looked_up(site, statement, set(tables)) if not found else ():
            found += places(line, key, fits, within=True)
    elif not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        header = statement.iter if isinstance(statement, ast.For) else statement
        for node in ast.walk(header):
            if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
                found += places(site, node, fits, within=True)
    place = one_place(found)
    return site if place is None or _asked_elsewhere(place) else place


def _asked_elsewhere(place: Site) -> bool:
    """Whether the word on a line is a key of some table and is compared with, ``if task == "binary"``: it
    chooses more than this.
    """
    nodes = list(ast.walk(tree(place.file) or ast.Pass()))
    keys = {k.value for n in nodes if isinstance(n, ast.Dict) for k in n.keys if isinstance(k, ast.Constant)}
    tests = (c for n in nodes if isinstance(n, ast.Compare) for c in n.comparators)
    asked = {c.value for c in tests if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    said = ast.walk(statement_at(place) or ast.Pass())
    return any(isinstance(n, ast.Constant) and n.value in keys & asked for n in said)


def _says(node: ast.AST, meant: set[str]) -> bool:
    """Whether a piece of source spells one of these words in a name."""
    return any(n.lower().strip("_") in meant for n in names_in(node))


def _looked_up(site: Site, statement: ast.stmt, tables: set[str]) -> Iterator[Placed]:
    """What the table on these lines is asked for: where it is asked, and by which expression."""
    whole = [n for n in enclosing(site) if isinstance(n, (ast.Assign, ast.AnnAssign))]
    made = [t for n in whole for t in (n.targets if isinstance(n, ast.Assign) else [n.target])]
    names = tables & set().union(*map(target_names, made))
    module = tree(site.file)
    for node in ast.walk(module) if module is not None else ():
        of, key = None, None
        if isinstance(node, ast.Subscript):
            of, key = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of, key = (node.func.value, node.args[0]) if node.func.attr in GETS else (None, None)
        if of is None or key is None:
            continue
        if names & target_names(of) or (
            isinstance(of, ast.Dict) and statement.lineno <= of.lineno <= site.line
        ):
            yield Site(site.file, key.lineno), key


def _tables(path: str, meant: set[str]) -> dict[str, list[str]]:
    """The file's tables with an entry that spells one of these words: the table's name, the entry's keys."""
    module = tree(path)
    found: dict[str, list[str]] = {}
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
            pairs = zip(node.value.keys, node.value.values, strict=True)
            keys = [str(k.value) for k, v in pairs if isinstance(k, ast.Constant) and _says(v, meant)]
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in set().union(*map(target_names, targets)) if keys else ():
                found[name] = keys
    return found


def _by_test(site: Site, statement: ast.stmt, meant: set[str]) -> list[Site]:
    """Where that is written by which an ``if`` around the line takes this branch."""
    tests: list[tuple[ast.expr, bool]] = []
    for node in enclosing(site):
        if isinstance(node, ast.If) and node.lineno < site.line:
            tests.append((node.test, any(_spans(n, site) for n in node.body)))
        elif isinstance(node, ast.Match):
            cases = [c.pattern for c in node.cases if any(_spans(n, site) for n in c.body)]
            values = [p.value for p in cases if isinstance(p, ast.MatchValue)]
            tests += [(ast.Compare(node.subject, [ast.Eq()], [v]), True) for v in values]
    tests += [
        (n.test, _says(n.body, meant))
        for n in ast.walk(statement)
        if isinstance(n, ast.IfExp) and _says(n.body, meant) != _says(n.orelse, meant)
    ]
    return [s for test, taken in tests[-1:] for s in decided(site, test, taken=taken)]


def decided(site: Site, test: ast.expr, *, taken: bool) -> list[Site]:
    """Where the constants stand by which a test on this line comes out like that."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return decided(site, test.operand, taken=not taken)
    if isinstance(test, (ast.Name, ast.Attribute, ast.Subscript)):
        return places(site, test, lambda v: v is taken or (v is None and not taken))
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return []
    op, sides = test.ops[0], [test.left, test.comparators[0]]
    same = isinstance(op, (ast.Eq, ast.Is, ast.In)) is taken
    if isinstance(op, (ast.Is, ast.IsNot)):
        none = getattr(sides[1], "value", ...) is None
        return places(site, sides[0], lambda v: v is None) if none and same else []
    if not isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)):
        return []
    words = [c.value for s in sides for c in _constants(s) if isinstance(c.value, str)]
    asked = [s for s in sides if not _constants(s)] if words else []
    if same:
        return [found for side in asked for found in places(site, side, words.__contains__)]
    return [
        found
        for side in asked
        for found in places(site, side, lambda v: v is None or (isinstance(v, str) and v not in words))
    ]


def _constants(node: ast.AST) -> list[ast.Constant]:
    """The constant, or those of a tuple of them."""
    inside = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return [n for n in inside if isinstance(n, ast.Constant)]


def _spans(node: ast.stmt, site: Site) -> bool:
    return node.lineno <= site.line <= (node.end_lineno or 0)
