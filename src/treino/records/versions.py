"""The versions of the packages that a run was trained with."""

import platform
from functools import cache
from importlib.metadata import version

import torch

_version = cache(version)  # which reads it from a file


def versions() -> dict[str, str]:
    """``{package: version}``, with Python's own."""
    return {"treino": _version("treino"), "torch": torch.__version__, "python": platform.python_version()}
