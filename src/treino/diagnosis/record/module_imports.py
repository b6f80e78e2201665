"""Modules that a program imports later on: observed as soon as they have run."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Collection
from typing import Any


class ModuleImports(importlib.abc.MetaPathFinder):
    """Calls ``imported(name)`` for each of some modules: now where it is there, or right after it has run.

    watching: whether anything is observed at all. defect: told what ``imported`` raised, by name.
    """

    def __init__(
        self,
        names: Collection[str],
        imported: Callable[[str], None],
        watching: Callable[[], bool],
        defect: Callable[[str, BaseException], None],
    ) -> None:
        self._names, self._imported, self._watching, self._defect = names, imported, watching, defect

    def install(self) -> None:
        """Start."""
        for name in self._names:
            if name in sys.modules:
                self._imported(name)
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Leave the import system."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Let the others find the module, and look at it when it has run."""
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
                self._defect(name, error)

        loader.exec_module = exec_module
        return spec
