"""Commands and Python calls that reproduce a sweep, or any folder's training."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from treino.records.command import as_flags
from treino.records.data_source import LOADS
from treino.search.space_text import domain_text
from treino.spec import FLAGS
from treino.tuning.sweep_options import SweepOptions


def sweep_as_typed(spec: Mapping[str, Any]) -> str:
    """The command that trains this sweep, or these seeds or folds, again."""
    settings, space, source = spec["sweep"], spec["space"], spec["data"]["source"]
    flags = as_flags({k: v for k, v in spec["asked"].items() if k in FLAGS})
    if settings.get("spread"):
        said = {"seed": "--seeds", "fold": "--folds"}
        axes = [w for name, d in space.items() for w in (said[name], str(len(d["values"])))]
        until = [] if settings["until"] is None else ["--until", "{}={:g}".format(*settings["until"])]
        return shlex.join(["treino", "train", source, *axes, *until, *flags])
    words = ["treino", "sweep", source]
    for name, domain in space.items():
        words += ["--space", f"{name}={domain_text(domain)}"]
    for name, value in _unusual(settings).items():
        words += ["--" + name.replace("_", "-"), str(value)]
    if settings["until"] is not None:
        words += ["--until", "{}={:g}".format(*settings["until"])]
    return shlex.join([*words, *flags])


def as_called(spec: Mapping[str, Any], rows: str, kept: bool) -> str:
    """The call in Python that trains this run or sweep again; "" where a command can say all of it.

    rows: what stands for its data in the call. kept: these are prepared already, so that what ``load`` was
    asked for is left out.
    """
    where, settings = spec["data"], dict(spec["asked"])
    own = spec.get("net") == "given"
    if spec.get("command", "").startswith(("treino train --branch", "treino train --rewind")):
        return ""
    if where["kind"] not in ("memory", "given") and not own:
        return ""
    if where["kind"] in ("memory", "given"):
        settings = {name: value for name, value in settings.items() if not (kept and name in LOADS)}
    else:
        rows = repr(where["source"])
    words = [rows, *(["net"] if own else [])]
    of_sweep = spec.get("sweep")
    if of_sweep is not None:
        axes = {"seed": "seeds", "fold": "folds"}
        spread = {axes[n]: len(d["values"]) for n, d in spec["space"].items() if n in axes}
        space = {name: domain_text(domain) for name, domain in spec["space"].items()}
        own_words = spread if of_sweep.get("spread") else {"space": space} | _unusual(of_sweep)
        settings = own_words | ({"until": of_sweep["until"]} if of_sweep["until"] else {}) | settings
    words += [f"{name}={value!r}" for name, value in settings.items() if value is not None]
    verb = "sweep" if of_sweep is not None and not of_sweep.get("spread") else "fit"
    return f"treino.{verb}({', '.join(words)})"


def _unusual(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a sweep was asked beside its space, of which it would have taken something else."""
    usual = {f.name: f.default for f in fields(SweepOptions)}
    names = (
        "members", "strategy", "eta", "sampler", "sampler_seed", "max_time", "top", "fresh", "storage"
    )  # fmt: skip
    return {name: settings[name] for name in names if settings[name] != usual[name]}
