"""The command and the versions of packages that a run was made with."""

import platform
import shlex
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

import torch

from treino.recipes import without_recipe
from treino.setting_types import as_item
from treino.spec import FLAGS

# ---- the command that reproduces a run, as a person types it


def as_typed(source: str, settings: Mapping[str, object]) -> str:
    """The command that reproduces this run, typed from the run's folder where the data is a file."""
    return shlex.join(["treino", "train", source, *as_flags(without_recipe(settings))])


def branch_as_typed(how: str, place: str, changes: Mapping[str, object]) -> str:
    """The command that goes on from a step of a run again; how: --branch or --rewind; place: RUN:STEP."""
    known = {name: value for name, value in changes.items() if name in FLAGS}
    return shlex.join(["treino", "train", how, place, *as_flags(known)])


def as_flags(settings: Mapping[str, object]) -> list[str]:
    words: list[str] = []
    for name, value in settings.items():
        if isinstance(value, bool):
            words.append(FLAGS[name] if value else FLAGS[name].replace("--", "--no-"))
        elif isinstance(value, list | tuple):
            words += [FLAGS[name], ",".join(as_item(str(item)) for item in value) or "none"]
        elif value is not None:
            words += [FLAGS[name], str(value)]
    return words


# ---- the versions of the packages that a run was trained with

_version = cache(version)  # which reads it from a file


def versions() -> dict[str, str]:
    """``{package: version}``, with Python's own."""
    return {"treino": _version("treino"), "torch": torch.__version__, "python": platform.python_version()}
