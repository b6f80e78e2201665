"""Counts of code-quality figures: hidden imports, import cycles, long signatures, flags, untyped dicts.

``python -m tools.house`` prints them for ``src/treino``; ``-v`` with every place behind the counts.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
PARAMETERS = 10  # a signature with more is long


@dataclass(frozen=True)
class Import:
    """One import of a treino module. where: ``top``, ``function``, or ``typing`` for TYPE_CHECKING."""

    target: str
    line: int
    where: str


def modules(source: Path = SOURCE) -> dict[str, Path]:
    """``{dotted name: file}`` of every module."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[Import]:
    """Imports of known modules, wherever they stand in the file."""

    def visit(node: ast.AST, where: str) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = where
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                inside = "function"
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                inside = "typing"
            if isinstance(child, ast.Import):
                yield from (Import(a.name, child.lineno, where) for a in child.names if a.name in known)
            elif isinstance(child, ast.ImportFrom) and child.module in known:
                targets = {f"{child.module}.{a.name}" for a in child.names} & set(known)
                yield from (Import(t, child.lineno, where) for t in sorted(targets))
                if len(targets) < len(child.names):
                    yield Import(child.module, child.lineno, where)
            else:
                yield from visit(child, inside)

    yield from visit(tree, "top")


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one module (Tarjan 1972), each sorted."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def connect(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                connect(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part: list[str] = []
            while not part or part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in sorted(graph):
        if node not in index:
            connect(node)
    return sorted(found)


def flags_in_sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Sentences in ``_()`` and ``N_()`` in which a ``--flag`` stands: (line, its flags)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "N_") and node.args:
            text = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            if isinstance(text, str) and (flags := FLAG.findall(text)):
                yield node.lineno, " ".join(flags)


def long_signatures(tree: ast.Module) -> Iterator[tuple[int, str, int]]:
    """Functions of more than ``PARAMETERS`` parameters: (line, name, count)."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            a = node.args
            count = len([*a.posonlyargs, *a.args, *a.kwonlyargs])
            if count > PARAMETERS:
                yield node.lineno, node.name, count


def counts() -> dict[str, list[str]]:
    """``{what is counted: the places where it stands}``."""
    known = modules()
    trees = {name: ast.parse(path.read_text()) for name, path in known.items()}
    imports = {name: list(imports_of(tree, known)) for name, tree in trees.items()}
    graph = {name: {i.target for i in found} for name, found in imports.items()}
    return {
        "imports of treino inside functions": [
            f"{n}:{i.line} {i.target}" for n, found in imports.items() for i in found if i.where == "function"
        ],
        "files that need TYPE_CHECKING for treino": [
            n for n, found in imports.items() if any(i.where == "typing" for i in found)
        ],
        "circles of files": [", ".join(part) for part in circles(graph)],
        f"functions of more than {PARAMETERS} parameters": [
            f"{n}:{line} {f} ({count})" for n, t in trees.items() for line, f, count in long_signatures(t)
        ],
        "sentences below the command line that name a flag": [
            f"{n}:{line} {flag}"
            for n, t in trees.items()
            if not n.startswith("treino.cli")
            for line, flag in flags_in_sentences(t)
        ],
        "dict[str, Any] and Mapping[str, Any]": [
            f"{n}:{k}"
            for n, p in known.items()
            for k, line in enumerate(p.read_text().splitlines(), 1)
            for _match in re.findall(r"(?:dict|Mapping)\[str, Any\]", line)
        ],
        "files": [str(p.relative_to(SOURCE)) for p in known.values()],
        "lines": [""] * sum(p.read_text().count("\n") for p in known.values()),
    }


def main(words: list[str]) -> int:
    """Print the counts."""
    for what, found in counts().items():
        print(f"{len(found):6}  {what}")
        if "-v" in words and what not in ("files", "lines"):
            print(*(f"        {place}" for place in found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
