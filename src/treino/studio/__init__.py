"""The studio: watch and steer a training in a page of a server on this machine, or of a notebook's kernel.

The package can be called, as ``treino.studio("wine")``: see ``from_python``.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, shown: Any = None, *, paused: bool = False, **settings: Any) -> Any:
        from treino.studio.from_python import studio

        return studio(shown, paused=paused, **settings)


sys.modules[__name__].__class__ = _Callable
