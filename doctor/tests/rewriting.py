"""Scripts rewritten so that they mean the same, cut up as another person would have done it: what the doctor
finds in them has to stay, on the line that its statement moved to."""

import ast
import builtins
import random
from collections.abc import Callable, Iterable

Lines = dict[int, list[int]]  # a line of a script -> where its statement is now
Rewrite = Callable[[ast.Module], ast.Module | None]  # None: it can't be rewritten so
Made = Callable[[str, ast.expr_context], ast.expr]  # what a name becomes

DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SCOPES = (*DEFINES, ast.Lambda)
LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
PARTS = ("load", "build", "work")
TAKEN = {*PARTS, "main", "data", "made", "experiment", "Experiment", "SimpleNamespace"}
LEAST = 6  # statements that are worth three functions


def rewritten(source: str, rewrite: Rewrite) -> tuple[str, Lines] | None:
    """The new source, and where the lines went; None where it can't be rewritten so."""
    module = ast.parse(source)
    spans = {id(n): _head(n) for n in _statements(module)}
    known = list(_statements(module))  # keeps the nodes, and so their ids, alive
    new = rewrite(module)
    if new is None:
        return None
    text = ast.unparse(ast.fix_missing_locations(new))
    lines: Lines = {}
    for before, after in zip(_statements(new), _statements(ast.parse(text)), strict=True):
        for node in getattr(before, "was", [before]):
            for line in spans.get(id(node), ()):
                lines.setdefault(line, []).append(after.lineno)
    del known
    return text, lines


def _statements(node: ast.AST) -> Iterable[ast.stmt]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.stmt):
            yield inner
        yield from _statements(inner)


def _head(node: ast.stmt) -> range:
    """The lines of a statement, without those of the statements inside."""
    body = getattr(node, "body", None)
    end = node.end_lineno or node.lineno
    if body:
        first = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", ()))])
        end = max(node.lineno, first - 1)
    return range(node.lineno, end + 1)


# --- ways of cutting a script up ------------------------------------------------------------------------
def in_functions(module: ast.Module) -> ast.Module | None:
    """Three functions that hand each other what they made."""
    script = _Script.of(module, seed=1)
    if script is None:
        return None
    functions: list[ast.stmt] = []
    calls: list[str] = []
    for i, part in enumerate(script.parts):
        parameters = sorted(_used(part) & script.bound(0, i))
        results = sorted(_bound(part) & script.used(i + 1))
        function = _function(PARTS[i], parameters, part)
        function.body += _parsed(f"return {', '.join(results)}") if results else []
        functions.append(function)
        calls.append(f"{', '.join(results)}{' = ' if results else ''}{PARTS[i]}({', '.join(parameters)})")
    return script.put_together([*functions, _function("main", [], _parsed("\n".join(calls)))], "main()")


def in_methods(module: ast.Module) -> ast.Module | None:
    """A class whose methods share what they need on the object."""
    script = _Script.of(module, seed=0)
    if script is None:
        return None
    others = [script.used(0, i) | script.used(i + 1) for i in range(len(script.parts))]
    shared = set().union(*(_bound(p) & other for p, other in zip(script.parts, others, strict=True)))
    rename = Renamed(shared & script.names, _attribute("self"))
    methods = [_function(n, ["self"], rename.all(p)) for n, p in zip(PARTS, script.parts, strict=True)]
    owner = _parsed("class Experiment:\n    pass")[0]
    owner.body = methods  # type: ignore[attr-defined]
    calls = [f"experiment.{name}()" for name in PARTS]
    return script.put_together([owner], "\n".join(["experiment = Experiment()", *calls]))


def as_one_object(module: ast.Module) -> ast.Module | None:
    """What a function made goes on as one object."""
    return _bundled(module, "SimpleNamespace", _attribute)


def as_one_table(module: ast.Module) -> ast.Module | None:
    """What a function made goes on as one dictionary."""
    return _bundled(module, "dict", _entry)


def _bundled(module: ast.Module, holder: str, of: Callable[[str], Made]) -> ast.Module | None:
    script = _Script.of(module, seed=5)
    if script is None:
        return None
    held = ["data", "made"]
    functions: list[ast.stmt] = []
    for i, part in enumerate(script.parts):
        body, unpacked = list(part), list[ast.stmt]()
        for j in range(i):
            earlier_names = (_bound(script.parts[j]) & _used(part)) - script.bound(j + 1, i)
            renamed = {name for name in earlier_names if name in script.names and name not in _bound(part)}
            body = Renamed(renamed, of(held[j])).all(body)
            for name in sorted(earlier_names - renamed):
                value = of(held[j])(name, ast.Load())
                unpacked.append(ast.Assign([ast.Name(name, ast.Store())], value))
        results = sorted(_bound(part) & script.used(i + 1))
        fields = ", ".join(f"{name}={name}" for name in results)
        function = _function(PARTS[i], held[:i], [*unpacked, *body])
        function.body += _parsed(f"return {holder}({fields})") if i < len(held) else []
        functions.append(function)
    calls = [f"{h} = {p}({', '.join(held[:i])})" for i, (h, p) in enumerate(zip(held, PARTS, strict=False))]
    main = _function("main", [], _parsed("\n".join([*calls, f"{PARTS[-1]}({', '.join(held)})"])))
    script.top += _parsed("from types import SimpleNamespace")
    return script.put_together([*functions, main], "main()")


REWRITES: dict[str, Rewrite] = {
    f.__name__: f for f in (in_functions, in_methods, as_one_object, as_one_table)
}


# --- what these are made of -----------------------------------------------------------------------------
class _Script:
    """A flat script in three parts, beside its imports, its functions and the constants that these read."""

    def __init__(self, top: list[ast.stmt], constants: list[ast.stmt], parts: list[list[ast.stmt]]) -> None:
        self.top, self.constants, self.parts = top, constants, parts
        self.names = _variables([n for part in parts for n in part])

    @classmethod
    def of(cls, module: ast.Module, seed: int) -> "_Script | None":
        """None for a script that is short, or whose functions read what the script works out."""
        top, rest = _imports(module)
        defined = [n for n in rest if isinstance(n, DEFINES)]
        read_names = _used(defined)
        body = [n for n in rest if not isinstance(n, DEFINES)]
        constants = [
            n for n in body if isinstance(n, ast.Assign) and _is_written_out(n) and _bound([n]) & read_names
        ]
        body = [n for n in body if n not in constants]
        shared = any(isinstance(n, ast.Global) for n in ast.walk(module)) or read_names & _bound(body)
        if shared or len(body) < LEAST or _bound(rest) & TAKEN:
            return None
        one, two = sorted(random.Random(len(body) + seed).sample(range(2, len(body)), 2))
        return cls(top, [*constants, *defined], [body[:one], body[one:two], body[two:]])

    def bound(self, first: int, last: int) -> set[str]:
        """The names that these parts give a value."""
        return set().union(*(_bound(part) for part in self.parts[first:last]))

    def used(self, first: int, last: int | None = None) -> set[str]:
        """The names that these parts speak of."""
        return set().union(*(_used(part) for part in self.parts[first:last]))

    def put_together(self, made: list[ast.stmt], start: str) -> ast.Module:
        """The script anew, that starts so."""
        return ast.Module([*self.top, *self.constants, *made, *_parsed(start)], [])


class Renamed(ast.NodeTransformer):
    """Variables of a script become something else, wherever no function has a name of its own for them."""

    def __init__(self, names: set[str], made: Made) -> None:
        self.names, self.made = names, made
        self._hidden: list[set[str]] = []

    def all(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [self.visit(n) for n in body]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        own = any(node.id in names for names in self._hidden)
        return self.made(node.id, node.ctx) if node.id in self.names and not own else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, LOOPS):
            # The first of what is looped over still is outside.
            node.generators[0].iter = self.visit(node.generators[0].iter)
            inner = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        elif isinstance(node, (ast.Lambda, ast.FunctionDef)):
            inner = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
            inner |= _bound(node.body) if isinstance(node, ast.FunctionDef) else set()
        else:
            return super().generic_visit(node)
        self._hidden.append(inner)
        super().generic_visit(node)
        self._hidden.pop()
        return node


def _imports(module: ast.Module) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The imports and the first words of a script, and the rest of it."""
    top = [
        n for i, n in enumerate(module.body) if isinstance(n, (ast.Import, ast.ImportFrom)) or _is_text(n, i)
    ]
    return top, [n for n in module.body if n not in top]


def _is_text(node: ast.stmt, at: int) -> bool:
    return at == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_written_out(node: ast.Assign) -> bool:
    plain = (ast.Constant, ast.Name, ast.Tuple, ast.UnaryOp, ast.unaryop, ast.expr_context)
    return all(isinstance(n, plain) for n in ast.walk(node.value))


def _bound(body: list[ast.stmt]) -> set[str]:
    """The names that statements give a value in their own scope."""
    names: set[str] = set()
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, DEFINES):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(a.asname or a.name).split(".")[0] for a in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        if not isinstance(node, (*SCOPES, *LOOPS)):
            todo += ast.iter_child_nodes(node)
    return names


def _used(body: list[ast.stmt]) -> set[str]:
    return {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name)} - set(dir(builtins))


def _variables(body: list[ast.stmt]) -> set[str]:
    """The names that may become something else: no function's, and none that only a plain name may be."""
    names = _bound(body)
    for node in (n for s in body for n in ast.walk(s)):
        if isinstance(node, (*DEFINES, ast.Import, ast.ImportFrom)):
            names -= _bound([node]) | (_bound(node.body) if isinstance(node, ast.ClassDef) else set())
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.discard(node.name)
        elif isinstance(node, ast.NamedExpr):
            names.discard(node.target.id)
    return names - {"_"}


def _parsed(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _function(name: str, arguments: list[str], body: list[ast.stmt]) -> ast.FunctionDef:
    made = _parsed(f"def {name}({', '.join(arguments)}):\n    pass")[0]
    assert isinstance(made, ast.FunctionDef)
    made.body = list(body) or made.body
    return made


def _attribute(of: str) -> Made:
    return lambda name, context: ast.Attribute(ast.Name(of, ast.Load()), name, context)


def _entry(of: str) -> Made:
    return lambda name, context: ast.Subscript(ast.Name(of, ast.Load()), ast.Constant(name), context)
