"""The code that a benchmark measures, as a digest of each part, by which the docs say what has changed since.

It is the benchmark and the modules that it imports, these import, and so on, wherever in a file they do. A
benchmark that starts processes may measure any part of treino, so all of it counts. Sources in other
languages count where their part does.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOTS = {
    "benchmarks": "benchmarks",
    "treino": "src/treino",
    "treino_doctor": "doctor/src/treino_doctor",
    "treino_studio": "apps/studio/src/treino_studio",
    "treino_judge": "apps/judge/src/treino_judge",
    "treino_service": "apps/service/src/treino_service",
}
OTHERS = {".c", ".cpp", ".css", ".h", ".html", ".js"}


def digests(name: str, root: Path = ROOT) -> dict[str, str]:
    """-> {part: digest of what the benchmark reaches in it}. A part: a package of treino, or another root."""
    by_part: dict[str, list[Path]] = {}
    for path in sorted(_reached(root / "benchmarks" / f"{name}.py", root)):
        by_part.setdefault(_part(path, root), []).append(path)
    for name_of_root, base in ROOTS.items():
        for path in sorted((root / base).rglob("*")) if name_of_root != "benchmarks" else ():
            if path.suffix in OTHERS and (part := _part(path, root)) in by_part:
                by_part[part].append(path)
    return {part: _digest(paths, root) for part, paths in sorted(by_part.items())}


def changed(name: str, recorded: dict[str, str]) -> list[str]:
    """The parts of which the benchmark reaches other code than when it was measured."""
    now = digests(name)
    return sorted(part for part in now.keys() | recorded.keys() if now.get(part) != recorded.get(part))


def _part(path: Path, root: Path) -> str:
    """``treino/data`` for a module of that package; the name of the distribution for one of another."""
    for name, base in ROOTS.items():
        if path.is_relative_to(root / base):
            within = path.relative_to(root / base).parts
            return f"treino/{within[0]}" if name == "treino" and len(within) > 1 else name
    raise AssertionError(path)


def _digest(paths: list[Path], root: Path) -> str:
    text = b"".join(
        str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0" for path in paths
    )
    return hashlib.sha256(text).hexdigest()[:12]


def _reached(first: Path, root: Path) -> set[Path]:
    reached, waiting = set[Path](), [first]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        waiting += _imports(path, root)
    return reached


@cache
def _imports(path: Path, root: Path) -> tuple[Path, ...]:
    """The files that a module imports."""
    text = path.read_text()
    files = [file for node in ast.walk(ast.parse(text)) for file in _imported(node, root)]
    if path.parent.name == "benchmarks" and "subprocess" in text:
        files += (root / ROOTS["treino"]).rglob("*.py")
    return tuple(dict.fromkeys(files))


def _imported(node: ast.AST, root: Path) -> Iterator[Path]:
    """The files of a statement's modules, with those of the packages around them.

    Names that a package imports at their first use are listed in its stub.
    """
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        first, *rest = name.split(".")
        if first not in ROOTS:
            continue
        path = root / ROOTS[first]
        for each in ["", *rest]:
            path = path / each
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file():
                    yield file
        if isinstance(node, ast.Import) == path.is_dir() and not path.with_suffix(".py").is_file():
            listed = (path if path.is_dir() else path.parent) / "__init__.pyi"  # imported at their first use
            if listed.is_file():
                yield listed
