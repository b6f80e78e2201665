"""Public names of a package, listed in its ``__init__.pyi`` and imported at their first use."""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def public_names(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose stub lists its names.

    package, file: its ``__name__`` and ``__file__``. The stub, which type checkers read too, holds lines such
    as ``from treino.data.loader import load as load``. (PEP 562; SPEC 1 of scientific Python.)
    """
    places: dict[str, tuple[str, str]] = {}
    for node in ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            places |= {a.name: (str(node.module), a.name) for a in node.names if a.asname}

    def of_package(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = places[name]
        holder = import_module(module)
        known = hasattr(holder, attribute)
        return getattr(holder, attribute) if known else import_module(f"{module}.{attribute}")

    return of_package, lambda: sorted(places), sorted(places)
