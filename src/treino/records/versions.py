"""The versions of the packages that a run was trained with."""

import platform
from importlib.metadata import version

import torch


def versions() -> dict[str, str]:
    """``{package: version}``, with Python's own."""
    return {"treino": version("treino"), "torch": torch.__version__, "python": platform.python_version()}
