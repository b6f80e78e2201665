"""Scripts whose nets are called by keyword and answer with an object, a pair or a dictionary, as those of
large libraries do, instead of being called with rows and answering with a tensor.
"""

import ast

from other_words import with_helpers
from rewriting import Rewrite

WRAP = """
class Answering(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body
    def forward(self, features):
        said = self.body(features)
        return {result}
"""
WAYS = {  # what the net gives, and how its answers are read from that
    "an object": ("types.SimpleNamespace(loss=None, logits=said)", "NET(features=X).logits"),
    "a pair": ("(said, None)", "NET(X)[0]"),
    "a dictionary": ("{'logits': said}", "NET(features=X)['logits']"),
}
PLAIN = {  # of a net that has another around it
    *("parameters", "named_parameters", "train", "eval", "zero_grad", "requires_grad_", "training", "to"),
}


def answers_in(way: str) -> Rewrite:
    """Wrap every net that is made under a plain name, outside of classes, and only called with rows."""

    def rewrite(module: ast.Module) -> ast.Module | None:
        nets = {name: made for name, made in _nets(module).items() if _only_called(module, name)}
        if not nets:
            return None
        result, reading = WAYS[way]
        new = _Read(set(nets), ast.parse(reading, mode="eval").body).visit(module)
        for made in (m for every in nets.values() for m in every):
            _after(
                new,
                made,
                ast.parse(f"{ast.unparse(made.targets[0])} = Answering({ast.unparse(made.targets[0])})").body,
            )
        helper = ast.parse("import types\n" + WRAP.format(result=result)).body
        return with_helpers(new, helper)

    return rewrite


def _nets(module: ast.Module) -> dict[str, list[ast.Assign]]:
    """Plain names that nets are made under: those of the script's own classes, and sequences of layers."""
    kinds = {
        n.name for n in ast.walk(module)
        if isinstance(n, ast.ClassDef) and any("Module" in ast.unparse(b) for b in n.bases)
    }  # fmt: skip
    inside = {
        id(n) for kind in ast.walk(module) if isinstance(kind, ast.ClassDef) for n in ast.walk(kind)
    }  # fmt: skip
    nets: dict[str, list[ast.Assign]] = {}
    for n in ast.walk(module):
        if not isinstance(n, ast.Assign) or not isinstance(n.value, ast.Call) or len(n.targets) != 1:
            continue
        name, of = n.targets[0], ast.unparse(n.value.func)
        if isinstance(name, ast.Name) and (of in kinds or of.split(".")[-1] == "Sequential"):
            nets.setdefault(name.id, []).append(n)
    return {name: every for name, every in nets.items() if not any(id(n) in inside for n in every)}


def _only_called(module: ast.Module, name: str) -> bool:
    """Whether all that a script does with a net is what it can do with another around it."""
    calls = 0
    known: set[int] = set()
    for n in ast.walk(module):
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name:
            if len(n.args) != 1 or n.keywords or isinstance(n.args[0], ast.Starred):
                return False
            calls += 1
            known.add(id(n.func))
        elif isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name:
            if n.attr not in PLAIN:
                return False
            known.add(id(n.value))
    names = [n for n in ast.walk(module) if isinstance(n, ast.Name) and n.id == name]
    return calls > 0 and all(id(n) in known or isinstance(n.ctx, ast.Store) for n in names)


class _Read(ast.NodeTransformer):
    def __init__(self, nets: set[str], reading: ast.expr) -> None:
        self.nets, self.reading = nets, ast.unparse(reading)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in self.nets:
            return node
        new = ast.parse(self.reading, mode="eval").body
        holes = {"NET": node.func, "X": node.args[0]}
        return _Filled(holes).visit(new)


class _Filled(ast.NodeTransformer):
    def __init__(self, holes: dict[str, ast.expr]) -> None:
        self.holes = holes

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.holes.get(node.id, node)


def _after(module: ast.Module, statement: ast.stmt, new: list[ast.stmt]) -> None:
    for node in ast.walk(module):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and statement in block:
                at = block.index(statement) + 1
                block[at:at] = new
                return
