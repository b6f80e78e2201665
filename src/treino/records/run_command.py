"""The command that reproduces a run, as a person types it."""

import shlex
from collections.abc import Mapping

from treino.recipes import without_recipe
from treino.setting_types import as_item
from treino.spec import FLAGS


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
