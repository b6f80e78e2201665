"""What a figure was made of: followed back through names, tables, arguments and functions of one file to the
calls that computed it.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass

from treino.diagnosis.reading.ancestry import defaults
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name

ANY = None  # whichever element of a table
Key = int | str | None
Keys = tuple[Key, ...]
Bound = tuple[Keys, ast.AST, Keys]  # what the element at these keys is: that element of an expression

DEEPEST, MOST = 40, 4000  # links of a chain, and expressions that are looked at in all
GROWS = ("append", "add", "insert", "appendleft", "put")
WHOLE = ("extend", "update")
PASSES = {
    *("sorted", "list", "tuple", "reversed", "copy", "deepcopy", "asarray", "array", "tensor", "stack"),
    *("as_tensor", "float", "int", "round", "dict", "clone", "detach", "cpu", "numpy", "tolist", "item"),
    *("setdefault", "set"),
}
SAYS_NOTHING = {
    *("len", "range", "enumerate", "print", "isinstance", "keys", "format", "time"),
    *("load", "loads", "state_dict", "load_state_dict"),  # what was saved is a net, not a figure
}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


@dataclass(frozen=True)
class Leaf:
    """Where a trace ends: a call that is known, or a plain number or word; or a name on the way there."""

    node: ast.AST
    name: str = ""


class Figures:
    """Follows expressions of one file.

    known: calls at which a trace ends, by their ids; mixed: calls that compute one thing or another, as it
    comes: what they return is followed. loose: whichever element of a table is asked for, all are followed.
    """

    def __init__(self, module: ast.Module, known: Set[int], mixed: Set[int]) -> None:
        self.module, self.known, self.mixed = module, known, mixed
        self.loose = False
        self.parent: dict[int, ast.AST] = {}
        self.bound: dict[tuple[int, str], list[Bound]] = defaultdict(list)
        self.attributes: dict[str, list[tuple[ast.AST | None, Bound]]] = defaultdict(list)
        self.calls: dict[str, list[ast.Call]] = defaultdict(list)
        self.functions: dict[str, list[ast.AST]] = defaultdict(list)
        self._looked: set[tuple[int, Keys]] = set()
        for node in ast.walk(module):
            for child in ast.iter_child_nodes(node):
                self.parent[id(child)] = node
        for node in ast.walk(module):
            self._read(node)

    # --- reading the file -----------------------------------------------------------------------------------
    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around one, the innermost first."""
        around = self.parent.get(id(node))
        while around is not None:
            yield around
            around = self.parent.get(id(around))

    def function(self, node: ast.AST) -> ast.AST:
        """The function around a node, or the module."""
        return next((n for n in self.above(node) if isinstance(n, Function)), self.module)

    def owner(self, node: ast.AST) -> ast.AST | None:
        """The class around a node."""
        return next((n for n in self.above(node) if isinstance(n, ast.ClassDef)), None)

    def _read(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, ())
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            self._bind(node.target, node.value, ())
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._bind(node.target, node.iter, (ANY,))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.functions[node.name].append(node)
        elif isinstance(node, ast.Call):
            self.calls[call_name(node)].append(node)
            if isinstance(node.func, ast.Attribute) and node.args:
                if node.func.attr in GROWS:
                    self._bind(node.func.value, node.args[-1], (), (ANY,))
                elif node.func.attr in WHOLE:
                    self._bind(node.func.value, node.args[0], ())

    def _bind(self, target: ast.AST, value: ast.AST, element: Keys, keys: Keys = ()) -> None:
        """Note that the element of a target at these keys is that element of a value."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for i, t in enumerate(target.elts):
                pairs = value.elts if not element and isinstance(value, (ast.Tuple, ast.List)) else ()
                if len(pairs) == len(target.elts):
                    self._bind(t, pairs[i], ())
                    continue
                inner = t.value if isinstance(t, ast.Starred) else t
                self._bind(inner, value, (*element, ANY if isinstance(t, ast.Starred) else i))
            return
        while isinstance(target, (ast.Subscript, ast.Call)):
            if isinstance(target, ast.Subscript):
                keys, target = (key_of(target.slice), *keys), target.value
            elif call_name(target) in ("setdefault", "get") and isinstance(target.func, ast.Attribute):
                keys, target = (key_of(target.args[0]), *keys), target.func.value
            else:
                return
        if isinstance(target, ast.Name):
            self.bound[id(self.function(target)), target.id].append((keys, value, element))
        elif isinstance(target, ast.Attribute):
            self.attributes[target.attr].append((self.owner(target), (keys, value, element)))

    # --- following ------------------------------------------------------------------------------------------
    def leaves(self, value: ast.AST, element: Keys = ()) -> set[Leaf]:
        """What an expression, or that element of it, was made of."""
        self._looked = set()
        return set(self._of(value, element, 0))

    def _of(self, node: ast.AST, at: Keys, deep: int) -> Iterator[Leaf]:
        if deep > DEEPEST or len(self._looked) > MOST or len(at) > 8 or (id(node), at) in self._looked:
            return
        self._looked.add((id(node), at))
        deep += 1
        if isinstance(node, ast.Constant):
            yield Leaf(node)
        elif isinstance(node, ast.Name):
            yield Leaf(node, node.id)
            yield from self._name(node, at, deep)
        elif isinstance(node, ast.Attribute):
            yield Leaf(node, node.attr)
            yield from self._attribute(node, at, deep)
        elif isinstance(node, ast.Subscript):
            key = key_of(node.slice)
            if isinstance(key, str):
                yield Leaf(node, key)
            key = ANY if self.loose else key
            yield from self._of(node.value, at if isinstance(node.slice, ast.Slice) else (key, *at), deep)
        elif isinstance(node, ast.Call):
            yield from self._call(node, at, deep)
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
            for part, rest in _parts(node, at):
                yield from self._of(part, rest, deep)
        elif isinstance(node, COMPREHENSIONS):
            made = node.value if isinstance(node, ast.DictComp) else node.elt
            yield from self._of(made, at[1:], deep)
        elif isinstance(node, ast.IfExp):
            yield from self._of(node.body, at, deep)
            yield from self._of(node.orelse, at, deep)
        elif isinstance(node, (ast.NamedExpr, ast.Starred, ast.Await)):
            yield from self._of(node.value, at, deep)
        elif isinstance(node, ast.Lambda):
            yield from self._of(node.body, at, deep)
        elif isinstance(node, (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare)):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from self._of(child, (), deep)

    def _name(self, node: ast.Name, at: Keys, deep: int) -> Iterator[Leaf]:
        for around in (*self.above(node), self.module):
            if isinstance(around, COMPREHENSIONS):
                for g in around.generators:
                    inside = any(n is node for n in ast.walk(g.iter))
                    keys = None if inside else _place(g.target, node.id)
                    if keys is not None:
                        yield from self._of(g.iter, (ANY, *keys, *at), deep)
                        return
            elif isinstance(around, ast.Lambda) and node.id in [a.arg for a in around.args.args]:
                call = next((n for n in self.above(around) if isinstance(n, ast.Call)), None)
                table = call.args[0] if call is not None and call.args else None
                if call is not None and isinstance(call.func, ast.Attribute) and call_name(call) == "sort":
                    table = call.func.value
                if table is not None:
                    yield from self._of(table, (ANY, *at), deep)
                return
            elif isinstance(around, (*Function.__args__, ast.Module)):
                bound = self.bound.get((id(around), node.id), [])
                for each in bound:
                    yield from self._bound(each, at, deep)
                handed = self._given(around, node.id) if isinstance(around, Function) else []
                for value in handed:
                    yield from self._of(value, at, deep)
                if bound or handed:
                    return

    def _bound(self, bound: Bound, at: Keys, deep: int) -> Iterator[Leaf]:
        keys, value, element = bound
        rest = at
        for key in keys:
            if rest and ANY not in (key, rest[0]) and key != rest[0]:
                return
            rest = rest[1:]
        yield from self._of(value, (*(ANY if self.loose else key for key in element), *rest), deep)

    def _given(self, function: ast.AST, name: str) -> list[ast.AST]:
        """What an argument is given: by every call, or by its default."""
        assert isinstance(function, Function)
        spec = function.args
        plain = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        if name not in (*plain, *(a.arg for a in spec.kwonlyargs)):
            return []
        owner = self.parent.get(id(function))
        method = isinstance(owner, ast.ClassDef)
        made = isinstance(owner, ast.ClassDef) and function.name == "__init__"
        called = [owner.name if made and isinstance(owner, ast.ClassDef) else function.name]
        if isinstance(owner, ast.ClassDef) and function.name == "__call__":
            called = self._objects(owner.name)
        place = plain.index(name) - method if name in plain else 99
        found: list[ast.AST] = []
        for call in (c for by in called for c in self.calls.get(by, ())):
            found += [k.value for k in call.keywords if k.arg == name] or call.args[place : place + 1]
        return found + defaults(function).get(name, [])

    def _objects(self, kind: str) -> list[str]:
        """The names and attributes that hold an object of a class."""
        plain = [(name, b) for (_, name), every in self.bound.items() for b in every]
        plain += [(name, b) for name, every in self.attributes.items() for _, b in every]
        return [n for n, (_, v, at) in plain if isinstance(v, ast.Call) and call_name(v) == kind and not at]

    def _attribute(self, node: ast.Attribute, at: Keys, deep: int) -> Iterator[Leaf]:
        known = self.attributes.get(node.attr, [])
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            known = [k for k in known if k[0] is self.owner(node)] or known
        for _, bound in known:
            yield from self._bound(bound, at, deep)
        if not known:
            yield from self._of(node.value, (ANY if self.loose else node.attr, *at), deep)

    def _call(self, node: ast.Call, at: Keys, deep: int) -> Iterator[Leaf]:
        name, func = call_name(node), node.func
        if id(node) in self.known:
            yield Leaf(node)
            return
        if id(node) in self.mixed:
            inside = [*self._returned(node, at, deep)]
            yield from inside
            if not any(isinstance(leaf.node, ast.Call) for leaf in inside):
                yield Leaf(node)
            return
        yield from self._returned(node, at, deep)
        if name in self.functions or name in SAYS_NOTHING:
            return
        of = func.value if isinstance(func, ast.Attribute) else None
        if name == "zip":
            for i, given in enumerate(node.args):
                if (at[1] if len(at) > 1 else 0) in (i, ANY):
                    yield from self._of(given, (ANY, *at[2:]), deep)
        elif name == "items" and of is not None:
            if len(at) < 2 or at[1] in (1, -1, ANY):
                yield from self._of(of, (ANY, *at[2:]), deep)
        elif name in ("values", "get", "pop") and of is not None:
            key = key_of(node.args[0]) if node.args and name == "get" else ANY
            yield from self._of(of, (key, *at[name == "values" :]), deep)
        elif name == "dict" and node.keywords:
            for k in node.keywords:
                if not at or at[0] in (k.arg, ANY):
                    yield from self._of(k.value, at[1:], deep)
        elif name in ("max", "min") and at and len(node.args) == 1:
            yield from self._of(node.args[0], (ANY, *at), deep)
        elif name == "DataFrame" and node.args:
            yield from self._of(node.args[0], (ANY, *at[:1], *at[2:]), deep)
        else:
            passed = at if name in PASSES else ()
            for given in (*node.args[:4], *([of] if of is not None and not _is_module(of) else [])):
                yield from self._of(given, passed, deep)

    def _returned(self, node: ast.Call, at: Keys, deep: int) -> Iterator[Leaf]:
        """What the functions of the file that go by this name return, or the fields of an object."""
        for made in self.functions.get(call_name(node), ()):
            if isinstance(made, ast.ClassDef):
                yield from self._field(made, node, at, deep)
                continue
            for given in ast.walk(made):
                if isinstance(given, (ast.Return, ast.Yield)) and given.value is not None:
                    yield from self._of(given.value, at[isinstance(given, ast.Yield) :], deep)

    def _field(self, made: ast.ClassDef, call: ast.Call, at: Keys, deep: int) -> Iterator[Leaf]:
        """``Result(lr, test_acc)``, of which a field is asked for."""
        noted = [n.target for n in made.body if isinstance(n, ast.AnnAssign)]
        fields: list[str | None] = [t.id for t in noted if isinstance(t, ast.Name)]
        given = [*zip(fields, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
        for field, value in given:
            place = fields.index(field) if field in fields else None
            if at and at[0] in (field, place, ANY):
                yield from self._of(value, at[1:], deep)


def _parts(node: ast.AST, at: Keys) -> Iterator[tuple[ast.AST, Keys]]:
    """The elements that are meant; of a tuple as a whole the first, by which tuples are compared."""
    if isinstance(node, ast.Dict):
        for k, v in zip(node.keys, node.values, strict=True):
            if k is None:
                yield v, at
            elif not at or at[0] is ANY or key_of(k) in (at[0], ANY):
                yield v, at[1:]
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        chosen = node.elts[:1] if isinstance(node, ast.Tuple) and not at else node.elts
        if at and isinstance(at[0], int):
            chosen = node.elts[at[0] :][:1]
        elif at and isinstance(at[0], str):
            chosen = []
        yield from ((e, at[1:]) for e in chosen)


def key_of(node: ast.AST) -> Key:
    """The number or word that is asked for; any where it is worked out."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = getattr(node.operand, "value", None)
        return -number if type(number) is int else ANY
    value = node.value if isinstance(node, ast.Constant) else None
    return value if type(value) in (int, str) else ANY  # type: ignore[return-value]


def _place(target: ast.AST, name: str) -> Keys | None:
    """Where in a loop's target a name stands; None where it is none of it."""
    if isinstance(target, ast.Name):
        return () if target.id == name else None
    for i, t in enumerate(target.elts if isinstance(target, (ast.Tuple, ast.List)) else ()):
        inner = _place(t, name)
        if inner is not None:
            return (i, *inner)
    return None


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "np", "numpy", "math", "F", "copy", "pd")
