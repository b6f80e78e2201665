"""Small sources in a file, and places in them that bear marks."""

import ast
import textwrap
from pathlib import Path

from treino_doctor.finding import Site
from treino_doctor.places.source import place, refresh, written_on


def script(tmp_path: Path, text: str, name: str = "script.py") -> str:
    """A file with these lines."""
    path = tmp_path / name
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    refresh()
    return str(path)


def marked(path: str, mark: str) -> Site:
    """The line of a file that ends with ``# mark``."""
    lines = Path(path).read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.endswith(f"# {mark}"))
    return place(path, ast.Pass(), line)


def spelled(site: Site, text: str) -> ast.AST:
    """The expression on a line that is spelled so."""
    nodes = (n for tree in written_on(site) for n in ast.walk(tree) if isinstance(n, ast.expr))
    return next(n for n in nodes if ast.unparse(n) == text)
