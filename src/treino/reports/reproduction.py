"""Commands and Python calls that reproduce a sweep, or any folder's training."""

import shlex
from dataclasses import fields
from typing import Any

from treino.documents.run_spec import RunSpec
from treino.documents.sweep_spec import SweepOptionsEntry, SweepSpec
from treino.recipes import without_recipe
from treino.records.run_command import as_flags
from treino.search.space_text import domain_text
from treino.spec import FLAGS, OF_DATA
from treino.tuning.sweep_options import SweepOptions


def sweep_as_typed(spec: SweepSpec) -> str:
    """The command that trains this sweep, or these seeds or folds, again."""
    sweep, space, source = spec.sweep, spec.space_document(), spec.data.source
    flags = as_flags({k: v for k, v in spec.asked.items() if k in FLAGS})
    until = [] if sweep.until is None else ["--until", "{}={:g}".format(*sweep.until)]
    if sweep.spread:
        flag_of = {"seed": "--seeds", "fold": "--folds"}
        axes = [w for name, d in space.items() for w in (flag_of[name], str(len(d["values"])))]
        return shlex.join(["treino", "train", source, *axes, *until, *flags])
    words = ["treino", "sweep", source]
    for name, domain in space.items():
        words += ["--space", f"{name}={domain_text(domain)}"]
    for name, value in _unusual(sweep).items():
        words += ["--" + name.replace("_", "-"), str(value)]
    return shlex.join([*words, *until, *flags])


def as_called(spec: RunSpec | SweepSpec, rows: str, kept: bool) -> str:
    """The call in Python that trains this run or sweep again; "" where a command can say all of it.

    rows: what stands for its data in the call. kept: these are prepared already, so that what ``load`` was
    asked for is left out.
    """
    where, arguments = spec.data, without_recipe(spec.asked)
    if isinstance(spec, RunSpec):  # which a run on a built-in may leave open
        arguments = {"recipe": spec.resolved.recipe} | arguments
    in_python = where.kind in ("memory", "given")
    own = isinstance(spec, RunSpec) and spec.net == "given"
    if isinstance(spec, RunSpec) and spec.command.startswith(
        ("treino train --branch", "treino train --rewind")
    ):
        return ""
    if not in_python and not own:
        return ""
    if in_python:
        arguments = {name: value for name, value in arguments.items() if not (kept and name in OF_DATA)}
    else:
        rows = repr(where.source)
    words, verb = [rows, *(["net"] if own else [])], "fit"
    if isinstance(spec, SweepSpec):
        arguments = _sweep_arguments(spec) | arguments
        verb = "fit" if spec.sweep.spread else "sweep"
    words += [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
    return f"treino.{verb}({', '.join(words)})"


def _sweep_arguments(spec: SweepSpec) -> dict[str, Any]:
    """The arguments of ``treino.sweep``, or of ``treino.fit`` with several seeds or folds."""
    until = {"until": list(spec.sweep.until)} if spec.sweep.until else {}
    space = spec.space_document()
    if spec.sweep.spread:
        axes = {"seed": "seeds", "fold": "folds"}
        return {axes[name]: len(d["values"]) for name, d in space.items() if name in axes} | until
    return {"space": {n: domain_text(d) for n, d in space.items()}} | _unusual(spec.sweep) | until


def _unusual(sweep: SweepOptionsEntry) -> dict[str, Any]:
    """What a sweep was asked beside its space, of which it would have taken something else."""
    usual = {f.name: f.default for f in fields(SweepOptions)}
    names = (
        "members", "strategy", "eta", "sampler", "sampler_seed", "max_time", "top", "fresh", "storage"
    )  # fmt: skip
    return {name: getattr(sweep, name) for name in names if getattr(sweep, name) != usual[name]}
