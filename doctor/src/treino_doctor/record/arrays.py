"""NumPy where it is installed: without it rows can't be followed, and all else is observed as usual."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

__all__ = ["NoNumPyError", "np", "there"]

there = find_spec("numpy") is not None


class NoNumPyError(ImportError):
    """An observer needs NumPy, which is not installed: it has nothing to observe."""


class _Absent:
    """Stands for NumPy or a part of it: it has every name, and whatever is called raises."""

    ndarray, integer = type("ndarray", (), {}), int

    def __getattr__(self, name: str) -> "_Absent":
        return _Absent()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NoNumPyError("NumPy is not installed")


if TYPE_CHECKING or there:
    import numpy as np
else:
    np = _Absent()
