"""The options of a study: the settings that are compared, modes, goals and seeds."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Any

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import N_, _, setting
from treino.engine import OPTIMIZERS
from treino.folders.documents.sweep import StudyCell, StudyPlan
from treino.settings.network_call import NetworkCall, is_argument, read_argument
from treino.settings.options import StudyOptions
from treino.settings.several import OF_COMPARED
from treino.settings.spec import FAULTS, OF_DATA, OF_PLACE, Settings, check_rules, read_settings
from treino.training.goals import goals_of, items_of
from treino.training.resolution import train_config
from treino.training.sweeps.populations import checked_settings

METRIC_WITHOUT_PATIENCE = Refusal(
    "A study measures every figure; {name} decides who stops early, and nobody does.",
    "Add {patience}, or leave it out.",
)
LR_AUTO_IN_A_STUDY = Refusal(
    "'auto' finds a learning rate for one network, and a study compares several.",
    "Give a number; rates are compared with [[cell=lr=1e-3]] [[cell=lr=1e-4]]",
)
BATCH_SIZE_TWICE = Refusal("{a} and {b} both say how many rows a step takes.", "Give one of them.")
BATCH_SIZES_EMPTY = Refusal("There are no batch sizes.", "Write e.g. [[batch_sizes=100,20,5]]")
COMPARE_AND_GIVEN = Refusal("{name} is to be compared, and given a value too.", "Leave one of them out.")
CELL_FORM = Refusal("{cell!r} is not settings with their values.", "Write e.g. [[cell=batch_size=5,lr=1e-6]]")
CELL_MODE = Refusal(
    "A row's mode is not one of its settings: every row is trained in every mode.",
    "Add [[as_taught=True]] or [[fault]] beside [[cell]].",
)
CELL_FOR_ALL = Refusal("{name} can't differ between the rows of a study.", "Settings that can: {names}.")

CORRECTED, TAUGHT = "corrected", "as_taught"
BATCH_SIZES = (100, 20, 5)  # the batch sizes of the course's exercise, if nothing else is compared
EPOCHS = {"table": 30, "image": 10}
NET = "mlp"  # the exercise's network, the default even for pictures
PREPARED = ("normalise", "impute")
"""Data settings that may be compared, because they don't change the rows of the splits."""

FOR_ALL = {*OF_DATA, *OF_PLACE, "seed", "device", "metric"} - {*PREPARED}
"""Settings that all rows of a study share: the data and the place of training."""

_NO_NETWORK = N_("A study keeps figures, and no network.")
_LEAVE_OUT = N_("Leave {name} out.")
REFUSED = {
    "steps": (N_("A study counts epochs."), N_("Say how many with {epochs}.")),
    "keep": (N_("A study keeps figures, and no weights."), _LEAVE_OUT),
    "baselines": (N_("A study compares its rows with each other."), _LEAVE_OUT),
    "threshold": (_NO_NETWORK, _LEAVE_OUT),
    "refit": (_NO_NETWORK, _LEAVE_OUT),
    "coverage": (_NO_NETWORK, _LEAVE_OUT),
    "every": (N_("A study keeps figures, and no keyframes."), _LEAVE_OUT),
}
NOT_HERE = (*REFUSED, TAUGHT, "fault")
"""Settings that a study sets in another way, or doesn't use."""

CHOICES: dict[str, Collection[Any]] = {
    "normalise": (True, False),
    "batch_norm": (False, True),
    "shuffle": ("each", "once", "off"),
    "impute": ("median", "mean"),
    "optimizer": OPTIMIZERS,
}
"""Settings whose whole registry ``--compare`` can try."""


def values_of(cell: StudyCell, base: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """All settings of a row with this seed, for ``read_settings``. base: settings that all rows share."""
    taught = {} if cell.mode == CORRECTED else {"as_taught": True}
    fault = {"fault": (cell.mode,)} if cell.mode in FAULTS else taught
    return {**base, **cell.own, **fault, "seed": seed}


def with_networks(plan: StudyPlan, words: Mapping[str, str]) -> StudyPlan:
    """The plan with each network's file renamed by ``words``, ``{old: new}``."""

    def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
        net = values.get("net")
        call = {} if net is None else {"net": str(NetworkCall.read(str(net)).renamed(words))}
        return {**values, **call}

    cells = tuple(cell.model_copy(update={"own": renamed(cell.own)}) for cell in plan.cells)
    return plan.model_copy(update={"base": renamed(plan.base), "cells": cells})


def study_plan(settings: Mapping[str, Any], options: StudyOptions) -> StudyPlan:
    """The rows that a study trains, each checked as far as possible without data.

    settings: as for ``treino train``; ``optimizer`` and ``shuffle`` may be several.

    Raises:
        TreinoError: an unknown name (with the nearest), a value out of range, settings in contradiction.
    """
    base = {name: value for name, value in settings.items() if value is not None}
    modes = _modes(base)
    _refuse(base)
    axes = _axes(base, options.batch_sizes, options.compare)
    singles = [_single(cell) for cell in items_of(options.cells, "|")]
    if not axes and not singles and "batch_size" not in base and modes == [CORRECTED]:
        axes = {"batch_size": list(BATCH_SIZES)}
    grid = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    own = [*(grid if axes or not singles else ()), *singles]
    first = read_settings({n: v for n, v in base.items() if n == "seed"}).seed
    cell_of: dict[str, StudyCell] = {}
    for values in own:
        listed = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
        for mode in modes:
            cell = StudyCell(own=listed, mode=mode)
            cell_of.setdefault(read(cell, base, first).model_dump_json(), cell)
    return StudyPlan.model_construct(  # settings may be Python objects, unlike those in a folder
        base=base,
        cells=tuple(cell_of.values()),
        until=goals_of(options.until, read_settings(base).metric),
        seeds=tuple(range(first, first + options.seeds)),
    )


def read(cell: StudyCell, base: Mapping[str, Any], seed: int) -> Settings:
    """The row's settings. An error caused by the row's own settings names the row."""
    try:
        settings = checked_settings(values_of(cell, base, seed))
        check_rules(settings, OF_COMPARED)
        return settings
    except TreinoError as error:
        raise row_settings(error, cell) from None


def row_settings(error: TreinoError, cell: StudyCell) -> TreinoError:
    """The error, with the row's settings in its message."""
    if not cell.own:
        return error
    typed = ",".join(f"{name}={value_text(value)}" for name, value in cell.own.items())
    message = _("Row {settings}: {why}").format(settings=typed, why=error.message)
    return error.saying(message)


def _modes(base: dict[str, Any]) -> list[Any]:
    """Return the modes (corrected, and modes that ``base`` requests); remove their settings from ``base``."""
    taught, fault = base.pop("as_taught", False), base.pop("fault", ())
    read_settings({"as_taught": taught})
    settings = read_settings({"fault": fault})
    train_config(settings)  # knows the faults' names
    return list(dict.fromkeys([CORRECTED, *([TAUGHT] if taught else []), *settings.fault]))


def _refuse(base: Mapping[str, Any]) -> None:
    for name, (message, hint) in REFUSED.items():
        if name in base:
            hint = _(hint).format(name=setting(name), epochs=setting("epochs"))
            raise TreinoError("not_in_a_study", _(message), hint)
    if "metric" in base and not base.get("patience"):
        raise METRIC_WITHOUT_PATIENCE(name=setting("metric"), patience=setting("patience", 5))
    if base.get("lr") == "auto":
        raise LR_AUTO_IN_A_STUDY()


def _axes(base: dict[str, Any], batch_sizes: Any, compare: Any) -> dict[str, list[Any]]:
    """The varied settings and their values; removes them from ``base``."""
    axes: dict[str, list[Any]] = {}
    if batch_sizes is not None:
        if "batch_size" in base:
            raise BATCH_SIZE_TWICE(a=setting("batch_size"), b=setting("batch_sizes"))
        sizes = items_of(batch_sizes, ",")
        if not sizes:
            raise BATCH_SIZES_EMPTY()
        axes["batch_size"] = [read_settings({"batch_size": size}).batch_size for size in sizes]
    for name in ("optimizer", "shuffle"):
        values = items_of(base.get(name), ",")
        if len(values) > 1:
            del base[name]
            axes[name] = values
    for name in (_settled(n) for n in items_of(compare, ",")):
        if name in axes or name in base:
            raise COMPARE_AND_GIVEN(name=setting(name))
        if name not in CHOICES:
            raise _not_comparable(name)
        axes[name] = list(CHOICES[name])
    return axes


def _not_comparable(name: str) -> TreinoError:
    message = _("{name} can't be compared by its name alone.").format(name=name)
    hint = _("Say its values, one row each: [[cell={name}=]]… [[cell={name}=]]…").format(name=name)
    if name not in (*Settings.model_fields, *FAULTS):
        message = _("There is no setting {name!r} to compare.").format(name=name)
        hint = nearest(name, CHOICES)
    return TreinoError("compare_unknown", message, hint)


def _single(cell: Any) -> dict[str, Any]:
    """The settings of one ``--cell``, given as ``batch_size=5,lr=1e-6`` or as a dict."""
    if not isinstance(cell, Mapping):
        parts: list[str] = []
        for part in re.split(r",(?![^()]*\))", str(cell)):  # in hidden=64,32 the comma belongs to the value
            if "=" in part or not parts:
                parts.append(part)
            else:
                parts[-1] += "," + part
        pairs = [part.partition("=") for part in parts if part.strip()]
        wrong = next((name for name, equals, value in pairs if not equals or not value.strip()), None)
        if wrong is not None or not pairs:
            raise CELL_FORM(cell=str(cell))
        names = [_settled(name) for name, _equals, _value in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            message = _("{cell!r} names {name} twice.").format(cell=str(cell), name=twice)
            raise TreinoError("cell_twice", message, _("Give each setting once."))
        cell = {name: value.strip() for name, (_n, _e, value) in zip(names, pairs, strict=True)}
    known = [n for n in Settings.model_fields if n not in FOR_ALL and n not in NOT_HERE]
    own: dict[str, Any] = {}
    for name, value in cell.items():
        if name in (TAUGHT, "fault", *FAULTS):
            raise CELL_MODE()
        if name in FOR_ALL or name in NOT_HERE:
            raise CELL_FOR_ALL(name=name, names=", ".join(known))
        if is_argument(str(name)):
            own[name] = read_argument(name, value)
            continue
        if name not in known:
            message = _("There is no setting {name!r}.").format(name=name)
            raise TreinoError("cell_unknown", message, nearest(str(name), known))
        if value == "auto" and name == "lr":
            _refuse({"lr": "auto"})
        own[name] = getattr(read_settings({name: value}), name)
    return own


def _settled(name: Any) -> str:
    """A setting's name from any spelling, such as ``--batch-size`` or ``batch-size``."""
    return str(name).strip().removeprefix("--").replace("-", "_")


def value_text(value: Any) -> str:
    """A setting's value as text for a table or a sentence."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value)) or _("none")
    return f"{value:g}" if isinstance(value, float) else str(value)
