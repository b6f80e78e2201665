"""Notice when a program imports a module, without importing it first."""

import importlib.util
import sys
from collections.abc import Callable, Collection
from importlib.abc import MetaPathFinder
from typing import Any


class ModuleImports(MetaPathFinder):
    """Calls ``imported(name)`` for each named module: at once if it is loaded, else right after its import.

    watching: whether to look at an import. defect: called with the name and the error if ``imported`` raises;
    None: it is raised.
    """

    def __init__(
        self,
        names: Collection[str],
        imported: Callable[[str], None],
        watching: Callable[[], bool] = lambda: True,
        defect: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self._names, self._imported, self._watching, self._defect = names, imported, watching, defect

    def install(self) -> None:
        """Start watching imports."""
        for name in self._names:
            if sys.modules.get(name) is not None:
                self._imported(name)
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching imports."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Let the other finders find the module, and call ``imported`` after it has run."""
        if name not in self._names or not self._watching():
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        run = loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            try:
                self._imported(name)
            except Exception as error:
                if self._defect is None:
                    raise
                self._defect(name, error)

        loader.exec_module = exec_module
        return spec
