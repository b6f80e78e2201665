"""What would have to be typed, and be installed, to train a run again."""

import shlex
from typing import Any

import torch

from treino.spec import FLAGS


def as_typed(source: str, asked: dict[str, Any]) -> str:
    """The command that trains this run again, typed from the run's folder where the data is a file."""
    words = ["treino", "train", source]
    for name, value in asked.items():
        if isinstance(value, bool):
            words.append(FLAGS[name] if value else FLAGS[name].replace("--", "--no-"))
        elif value is not None:
            words += [
                FLAGS[name],
                ",".join(map(str, value)) or "none" if isinstance(value, list) else str(value),
            ]
    return shlex.join(words)


def versions() -> dict[str, str]:
    import platform

    from treino import __version__

    return {"treino": __version__, "torch": torch.__version__, "python": platform.python_version()}
