"""Python source for a script: functions copied whole, and decided ``if`` branches folded.

A test is decided if it uses only names with given values; in an ``and``, the leading parts with known
values are decided. Remaining lines stay unchanged, including comments.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from treino.base.errors import Refusal

EXPORT_CLASS_SOURCE = Refusal(
    "The source of the class {name} can't be read, so a script can't have it.",
    "Keep the class in a file; or use [[format=safetensors]].",
)

# ---- a program with fixed names

SECTION = "# ----"
LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def fixed(source: str, values: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Return the program with these values for its names.

    texts: source that replaces definitions, by name. Definitions and imports that no executed statement
    reaches are left out.
    """
    body = ast.parse(source).body
    lines, begun = source.split("\n"), 0
    kept: list[str] = []
    for node in body:
        name = next(iter(_bound(node)), "") if not isinstance(node, ast.Import | ast.ImportFrom) else ""
        if name in texts:
            kept += [*lines[begun : _first(node)], *texts[name].split("\n")]
        else:
            kept += Folding(lines, values).block([node], begun)
        begun = node.end_lineno or 0
    text = re.sub(r"\n{4,}", "\n\n\n", reached("\n".join(kept)))
    return re.sub(rf"^{SECTION} .*\n+(?={SECTION})", "", text, flags=re.M).strip("\n") + "\n"


def reached(text: str) -> str:
    """Return the program without definitions and imports that its other statements don't reach, and
    without the comments above them.
    """
    lines, body = text.split("\n"), ast.parse(text).body
    used = {name for node in body if not _bound(node) for name in _used(node)}
    done: set[int] = set()
    while more := {i for i, node in enumerate(body) if _bound(node) & used} - done:
        done |= more
        used |= {name for i in more for name in _used(body[i])}
    for i, node in enumerate(body):
        first, last = _first(node), node.end_lineno or 0
        if isinstance(node, ast.Import | ast.ImportFrom) and i in done:
            node.names = [name for name in node.names if _name(name) in used]
            lines[first:last] = [ast.unparse(node)] + [""] * (last - first - 1)
        elif _bound(node) and i not in done:
            while lines[first - 1].startswith("#") and not lines[first - 1].startswith(SECTION):
                first -= 1
            lines[first:last] = [GONE] * (last - first)
    return "\n".join(line for line in lines if line != GONE)


GONE = "\0"


class Folding:
    """Folds a program's blocks: drops the branches that the values exclude."""

    def __init__(self, lines: Sequence[str], values: Mapping[str, Any]) -> None:
        self.lines, self.values = lines, values

    def block(self, statements: Sequence[ast.stmt], begun: int) -> list[str]:
        """Return the lines that remain. begun: index of the line after the statement before the block."""
        kept: list[str] = []
        for node in statements:
            lead, begun = self.lines[begun : _first(node)], node.end_lineno or 0
            if isinstance(node, ast.If):
                text, taken = self._branches(node)
                kept += [*lead, *text] if text else []
                if taken and isinstance(taken[-1], LEAVING):
                    break
            elif isinstance(node, ast.For | ast.With | ast.FunctionDef | ast.ClassDef):
                kept += [*lead, *self.lines[_first(node) : node.lineno]]
                kept += self.block(node.body, node.lineno) or [f"{' ' * node.col_offset}    pass"]
            else:
                kept += [*lead, *self.lines[_first(node) : node.end_lineno]]
        return kept

    def _branches(self, node: ast.If) -> tuple[list[str], Sequence[ast.stmt]]:
        """Return the lines of an ``if`` and its ``elif``, and the statements that certainly run."""
        indent = " " * node.col_offset
        kept: list[str] = []
        rest: Sequence[ast.stmt] = [node]
        begun = node.lineno - 1
        while rest:
            holds: bool | None = True
            test, body, after = "", rest, list[ast.stmt]()
            if isinstance(branch := rest[0], ast.If) and self.lines[begun].split()[0] != "else:":
                holds, test = self._test(branch.test)
                body, after, begun = branch.body, branch.orelse, branch.lineno - 1
            if holds is not False:
                lines = self.block(body, begun + 1)
                if holds and not kept:
                    return [line.removeprefix("    ") for line in lines], body
                word = "else:" if holds else f"elif {test}" if kept else f"if {test}"
                kept += [f"{indent}{word}", *(lines or [f"{indent}    pass"])]
            if holds:
                break
            rest, begun = after, body[-1].end_lineno or 0
        return kept, ()

    def _test(self, test: ast.expr) -> tuple[bool | None, str]:
        """Return whether the test holds; None if undecided, and the source of the part that remains."""
        parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
        while parts and (holds := self._value(parts[0])) is not None:
            if not holds:
                return False, ""
            parts = parts[1:]
        return (None, self.lines[test.lineno - 1][parts[0].col_offset :]) if parts else (True, "")

    def _value(self, test: ast.expr) -> bool | None:
        """Return whether a test of names, ``not`` and ``or`` holds; None if it uses anything else."""
        match test:
            case ast.Name(name) if name in self.values:
                return bool(self.values[name])
            case ast.UnaryOp(ast.Not(), inner):
                return None if (value := self._value(inner)) is None else not value
            case ast.BoolOp(ast.Or(), parts):
                values = [self._value(part) for part in parts]
                return None if None in values else any(values)
        return None


def _first(node: ast.stmt) -> int:
    """Return the index of the statement's first line."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return (decorators[0].lineno if decorators else node.lineno) - 1


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a definition, import or assignment binds; none for other statements."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return set(map(_name, node.names))
    if isinstance(node, ast.Assign):
        names = [each for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
        return {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return set()


def _name(name: ast.alias) -> str:
    return name.asname or name.name.partition(".")[0]


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


# ---- copied functions

PLACES = {"torch.nn.modules.": "nn", "torch.optim.": "torch.optim"}


def class_name(kind: type) -> str:
    """Return the class's name in the script: ``nn.MSELoss``, ``torch.optim.Adam``, or bare if copied."""
    place = next((place for module, place in PLACES.items() if f"{kind.__module__}.".startswith(module)), "")
    return f"{place}.{kind.__name__}" if place else kind.__name__


def before(kind: type) -> str:
    """Return the source that must precede the class's use; "" for torch's classes. It has no hints of
    tensors: a script has no such name.
    """
    return "" if "." in class_name(kind) else re.sub(r": Tensor\b| -> Tensor\b", "", _source(kind)) + "\n\n\n"


def copied(functions: Iterable[Callable[..., Any]]) -> dict[str, str]:
    """Return, by name, the source of functions and of treino's that they call, without type hints."""
    texts: dict[str, str] = {}
    for function in functions:
        text = _source(function)
        (node,) = ast.parse(text).body
        assert isinstance(node, ast.FunctionDef)
        for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            arg.annotation = None
        used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        called = (function.__globals__.get(name) for name in sorted(used))
        texts |= copied(f for f in called if inspect.isfunction(f) and f is not function)
        lines = text.split("\n")[node.body[0].lineno - 1 :]
        texts[node.name] = "\n".join([f"def {node.name}({ast.unparse(node.args)}):", *lines])
    return texts


def _source(kind: type | Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(kind)).rstrip()
    except (OSError, TypeError):
        raise EXPORT_CLASS_SOURCE(name=kind.__name__) from None
