"""Where it is chosen which parameters an optimizer is given: filters, groups, functions that make them."""

import ast
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import arguments, parameters
from treino.diagnosis.reading.provenance import Function, definition, functions
from treino.diagnosis.reading.source import (
    call_name,
    enclosing,
    function_of,
    names_in,
    statement_at,
    statements,
    tree,
)

GROWS = ("append", "add", "extend", "insert")
FLAG = {"requires_grad"}
LISTED = {"parameters", "named_parameters", "params"}  # of a whole net
KNOWN = {"id", "seen", "known", "visited", "done"}
NEAR = 3  # lines between which a person would not care
MOST = 60  # expressions that are followed


def choosing_line(made: Site | None) -> Site | None:
    """The line that leaves parameters out for the optimizer made on this line: a condition in the making of
    its groups, or the function that lists them. The optimizer's own line where none or several are known.
    """
    statement = statement_at(made) if made is not None else None
    if made is None or statement is None:
        return made
    search = _Search()
    for value in _given(made):
        search.follow(value, made)
    lines = sorted(set(search.conditions) or set(search.lists))
    if not lines or lines[-1] - lines[0] > NEAR:
        return made
    return Site(made.file, lines[0])


def skips_first(made: Site | None) -> bool:
    """Whether the optimizer made on this line is given a net's parameters from the second or a later one on,
    ``list(net.parameters())[2:]``: what comes first was lost, not left out by name.
    """
    if made is None:
        return False
    search = _Search()
    for value in _given(made):
        search.follow(value, made)
    return search.skips


def opening_line(made: Site | None) -> Site | None:
    """The only line that lets parameters learn from there on, in the file of an optimizer; else what
    ``choosing_line`` says.
    """
    module = tree(made.file) if made is not None else None
    if made is None or module is None:
        return made
    found = [n for n in ast.walk(module) if isinstance(n, ast.stmt) and _opens(made.file, n)]
    if len(found) > 1:  # inputs that are to have gradients, too
        of_nets = [n for n in found if _of_parameters(made.file, n)]
        found = of_nets or found
    lines = sorted(n.lineno for n in found)
    return Site(made.file, lines[0]) if lines and lines[-1] - lines[0] <= NEAR else choosing_line(made)


def opens_by_name(made: Site | None, name: str) -> bool:
    """Whether the file of an optimizer says that just this part of a net is to learn:
    ``net.layer4.requires_grad_(True)``.
    """
    module = tree(made.file) if made is not None else None
    parts = {part for part in name.split(".")[:-1] if not part.isdigit()}
    for n in ast.walk(module) if module is not None and made is not None else ():
        if isinstance(n, ast.stmt) and made is not None and _opens(made.file, n):
            loops = [o for o in enclosing(Site(made.file, n.lineno)) if isinstance(o, ast.For)]
            of = names_in(loops[-1].iter) if isinstance(n, ast.Assign) and loops else names_in(n)
            if parts & of:
                return True
    return False


def _opens(path: str, statement: ast.stmt) -> bool:
    """``p.requires_grad = True``, ``net.requires_grad_()``, or a call that hands True to what does so."""
    if isinstance(statement, ast.Assign):
        flagged = any(isinstance(t, ast.Attribute) and t.attr in FLAG for t in statement.targets)
        return flagged and getattr(statement.value, "value", None) is True
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    given = [*call.args, *(k.value for k in call.keywords)]
    on = any(getattr(a, "value", None) is True for a in given)
    if call_name(call) == "requires_grad_":
        return on or not given
    own = functions(path, call_name(call))
    return on and any(names_in(n) & {"requires_grad", "requires_grad_"} for n in own)


def _of_parameters(path: str, statement: ast.stmt) -> bool:
    loops = [n for n in enclosing(Site(path, statement.lineno)) if isinstance(n, ast.For)]
    return any(names_in(n.iter) & {"parameters", "named_parameters"} for n in loops)


def _given(made: Site) -> Iterator[ast.AST]:
    """What the optimizer is given: the first argument of the call on its line."""
    for statement in statements(made) or [s for s in [statement_at(made)] if s is not None]:
        for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
            named = [k.value for k in call.keywords if k.arg in ("params", "parameters")]
            if call.lineno <= made.line <= (call.end_lineno or 0) and (call.args or named):
                yield named[0] if named else call.args[0]
                return


class _Search:
    """What was found on the way back from an optimizer's argument."""

    def __init__(self) -> None:
        self.conditions: list[int] = []
        self.lists: list[int] = []  # of functions that list parameters
        self.skips = False  # the first of all parameters
        self.seen: set[tuple[int, int]] = set()

    def follow(self, value: ast.AST, place: Site) -> None:
        """Go back from an expression on a line."""
        key = getattr(value, "lineno", 0), getattr(value, "col_offset", 0)
        if key in self.seen or len(self.seen) > MOST:
            return
        self.seen.add(key)
        if _skips(value):
            self.skips = True
            self.conditions.append(key[0])
        if isinstance(value, (ast.Name, ast.Attribute)):
            self._name(value.id if isinstance(value, ast.Name) else value.attr, place)
        elif isinstance(value, ast.Call):
            self._call(value, place)
        elif isinstance(value, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            for g in value.generators:
                self.conditions += [test.lineno for test in g.ifs if _chooses(test)]
                self.follow(g.iter, place)
            self.follow(value.elt, place)
        elif isinstance(value, ast.Dict):
            for key_node, part in zip(value.keys, value.values, strict=True):
                if getattr(key_node, "value", None) == "params":
                    self.follow(part, place)
        else:
            for inner in ast.iter_child_nodes(value):
                if isinstance(inner, ast.expr):
                    self.follow(inner, place)

    def _name(self, name: str, place: Site) -> None:
        around = function_of(place)
        self._grown(name, place)
        made = definition(place, name)
        own = made is not None and (made.function is around or made.function is None)
        if isinstance(around, Function) and name in parameters(around) and not (own and made):
            given = list(arguments(place.file, around, name))
            if len(given) == 1:
                self.follow(given[0][1], Site(place.file, given[0][0].lineno))
        elif made is not None and own:
            self.follow(made.value, Site(place.file, made.line))

    def _call(self, call: ast.Call, place: Site) -> None:
        name = call_name(call)
        if name == "filter" and call.args and _chooses(call.args[0]):
            self.conditions.append(call.lineno)
        own = functions(place.file, name)
        for function in own:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    known = len(self.lists)
                    self.follow(node.value, Site(place.file, node.lineno))
                    self.lists += [node.lineno] if len(self.lists) == known else []
        for part in (*call.args, *(k.value for k in call.keywords)) if not own else ():
            self.follow(part, place)

    def _grown(self, name: str, place: Site) -> None:
        """Conditions under which a list gets its parameters in a loop."""
        around = function_of(place) or tree(place.file)
        for loop in ast.walk(around) if around is not None else ():
            if not isinstance(loop, ast.For) or not _grows(loop, name):
                continue
            for node in ast.walk(loop):
                if not isinstance(node, ast.If):
                    continue
                if _grows(node, name) and _chooses(node.test) and not _complete(node):
                    self.conditions.append(_last_test(node).lineno)
                elif any(isinstance(n, ast.Continue) for n in node.body) and _chooses(node.test):
                    self.conditions.append(node.lineno)


def _skips(value: ast.AST) -> bool:
    """``[*net.parameters()][2:]``, ``islice(net.parameters(), 2, None)``, or ``parameters[2:]`` of a list so
    called; a slice of the last ones, or of a part of the net, chooses.
    """
    start: ast.AST | None = None
    listed = value
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice) and value.slice.upper is None:
        listed, start = value.value, value.slice.lower
    elif isinstance(value, ast.Call) and call_name(value) == "islice" and len(value.args) > 2:
        listed, start = value.args[0], value.args[1]
    skipped = start.value if isinstance(start, ast.Constant) else 0
    return isinstance(skipped, int) and skipped > 0 and bool(names_in(listed) & LISTED)


def _chooses(test: ast.AST) -> bool:
    """Whether a condition asks for more than what is frozen, empty or there already."""
    if isinstance(test, ast.UnaryOp):
        test = test.operand
    empty = isinstance(test, ast.Name) or (isinstance(test, ast.Call) and call_name(test) == "len")
    said = names_in(test)
    return not empty and not said & KNOWN and (not said & FLAG or isinstance(test, ast.BoolOp))


def _grows(node: ast.AST, name: str) -> bool:
    for n in ast.walk(node):
        if isinstance(n, ast.AugAssign) and name in names_in(n.target):
            return True
        grows = isinstance(n, ast.Call) and call_name(n) in GROWS and isinstance(n.func, ast.Attribute)
        if grows and name in names_in(n.func.value):  # type: ignore[attr-defined]
            return True
    return False


def _complete(node: ast.If) -> bool:
    """Whether a chain of conditions ends in an ``else``."""
    last = _last_test(node).orelse
    return any(not isinstance(n, (ast.Continue, ast.Pass)) for n in last)


def _last_test(node: ast.If) -> ast.If:
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
    return node
