"""Counts of code-quality figures: hidden imports, import cycles, long signatures, flags, untyped dicts.

``python -m tools.house`` prints them for ``src/treino``; ``-v`` with every place behind the counts.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import grimp

SOURCE = Path(__file__).parent.parent / "src"
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
PARAMETERS = 10  # a signature with more is long


class Import(NamedTuple):
    """One import of a treino module. where: ``top``, ``function``, or ``typing`` for TYPE_CHECKING."""

    file: str
    target: str
    line: int
    where: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.target}"


def modules(source: Path = SOURCE) -> dict[str, Path]:
    """``{dotted name: file}`` of every module."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports() -> list[Import]:
    """Imports of treino's modules by each other, wherever they stand in a file."""
    lines = {name: path.read_text().splitlines() for name, path in modules().items()}
    found = {}
    for without_types in (False, True):
        graph = grimp.build_graph("treino", cache_dir=None, exclude_type_checking_imports=without_types)
        for name in graph.modules:
            for target in graph.find_modules_directly_imported_by(name):
                for at in graph.get_import_details(importer=name, imported=target):
                    inside = lines[name][at["line_number"] - 1].startswith(" ")
                    where = ("function" if inside else "top") if without_types else "typing"
                    found[name, target, at["line_number"]] = where
    return [Import(*key, where) for key, where in sorted(found.items())]


def circles(found: Iterable[Import]) -> list[list[str]]:
    """Strongly connected components of more than one module (Tarjan 1972), each sorted."""
    graph: dict[str, set[str]] = {}
    for each in found:
        graph.setdefault(each.file, set()).add(each.target)
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


def flags_below_the_command_line() -> list[str]:
    """The places where a sentence outside the command line's floor names a flag."""
    texts = {n: p.read_text() for n, p in modules().items() if not n.startswith("treino.cli")}
    return [
        f"{name}:{line} {flag}"
        for name, text in texts.items()
        if FLAG.search(text)
        for line, flag in flags_in_sentences(ast.parse(text))
    ]


def counts() -> dict[str, list[str]]:
    """``{what is counted: the places where it occurs}``."""
    known, found = modules(), imports()
    return {
        "imports of treino inside functions": [str(i) for i in found if i.where == "function"],
        "files that need TYPE_CHECKING for treino": sorted({i.file for i in found if i.where == "typing"}),
        "circles of files": [", ".join(part) for part in circles(found)],
        f"functions of more than {PARAMETERS} parameters": [
            f"{n}:{line} {f} ({count})"
            for n, p in known.items()
            for line, f, count in long_signatures(ast.parse(p.read_text()))
        ],
        "sentences below the command line that name a flag": flags_below_the_command_line(),
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
