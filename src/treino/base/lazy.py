"""Public names of a package, listed in its ``__init__.pyi`` and imported at their first use."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def public_names(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose stub lists its names.

    package, file: its ``__name__`` and ``__file__``. The stub, which type checkers read too, holds lines such
    as ``from treino.data.loader import load as load``; with ``as _load`` the stub itself says its types.
    (PEP 562; SPEC 1 of scientific Python.)
    """
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    listed = re.findall(r"^from (\S+) import (\w+) as \w+$", stub, re.MULTILINE)
    places = {name: (module, name) for module, name in listed}

    def of_package(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = places[name]
        holder = import_module(module)
        known = hasattr(holder, attribute)
        return getattr(holder, attribute) if known else import_module(f"{module}.{attribute}")

    return of_package, lambda: sorted(places), sorted(places)
