"""What would have to be typed, and be installed, to train a run again."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch

from treino.search.space import domain_written
from treino.spec import FLAGS
from treino.workflows.sweep.asked import Asked


def as_typed(source: str, asked: dict[str, Any]) -> str:
    """The command that trains this run again, typed from the run's folder where the data is a file."""
    return shlex.join(["treino", "train", source, *_flags(asked)])


def branch_as_typed(how: str, place: str, changes: Mapping[str, Any]) -> str:
    """The command that goes on from a step of a run again; how: --branch or --rewind; place: RUN:STEP."""
    known = {name: value for name, value in changes.items() if name in FLAGS}
    return shlex.join(["treino", "train", how, place, *_flags(known)])


def sweep_as_typed(spec: Mapping[str, Any]) -> str:
    """The command that trains this sweep, or these seeds or folds, again."""
    asked, space, source = spec["sweep"], spec["space"], spec["data"]["source"]
    flags = _flags({k: v for k, v in spec["asked"].items() if k in FLAGS})
    if asked.get("spread"):
        said = {"seed": "--seeds", "fold": "--folds"}
        several = [w for name, d in space.items() for w in (said[name], str(len(d["values"])))]
        until = [] if asked["until"] is None else ["--until", "{}={:g}".format(*asked["until"])]
        return shlex.join(["treino", "train", source, *several, *until, *flags])
    words = ["treino", "sweep", source]
    for name, domain in space.items():
        words += ["--space", f"{name}={domain_written(domain)}"]
    usual = {f.name: f.default for f in fields(Asked)}
    for name in (
        "members",
        "strategy",
        "eta",
        "sampler",
        "sampler_seed",
        "max_time",
        "top",
        "fresh",
        "storage",
    ):
        if asked[name] != usual[name]:
            words += ["--" + name.replace("_", "-"), str(asked[name])]
    if asked["until"] is not None:
        words += ["--until", "{}={:g}".format(*asked["until"])]
    return shlex.join([*words, *flags])


def _flags(asked: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in asked.items():
        if isinstance(value, bool):
            words.append(FLAGS[name] if value else FLAGS[name].replace("--", "--no-"))
        elif value is not None:
            several = isinstance(value, (list, tuple))
            words += [FLAGS[name], ",".join(map(str, value)) or "none" if several else str(value)]
    return words


def versions() -> dict[str, str]:
    import platform

    from treino import __version__

    return {"treino": __version__, "torch": torch.__version__, "python": platform.python_version()}
