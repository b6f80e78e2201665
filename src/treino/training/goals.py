"""Goals: metric values given as ``until`` for sweeps, studies, seeds and folds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _, setting
from treino.data.dataset import Data
from treino.engine import TrainingLoop
from treino.engine.metrics import METRIC_UNITS, METRICS, metric_names

UNTIL_FORM = Refusal("{text!r} doesn't say which figure is to be reached.", "{hint}")
UNTIL_RANGE = Refusal("A figure of {name} to reach is {limits}; it is {value}.", "{hint}")
UNTIL_SEVERAL = Refusal("{n} figures are to be reached, and these networks go for one: {names}.", "{hint}")
UNTIL_METRIC = Refusal("There is no metric {name!r}.", "{hint}")
UNTIL_TWICE = Refusal("{until} names {name} twice.", "Give one figure for it.")
UNTIL_NUMBER = Refusal("{value!r} is no figure to reach.", "{hint}")


def goals_of(value: Any, metric: str | None = None) -> dict[str, float]:
    """Read goals: ``loss=1.6``, ``1.6`` (a loss), several joined by a comma or |, a pair or a dict.

    metric: that of the training, which is named without the hash of its code, if it is the user's own.

    Raises:
        TreinoError: an unknown metric, no value, a value out of range, or a metric given twice.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        pairs: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[0], str):
        pairs = [(value[0], value[1])]
    else:
        pairs = [_pair(part) for part in items_of(value, ",|")]
    if not pairs:
        raise UNTIL_FORM(text=value, hint=_example())
    goals: dict[str, float] = {}
    word = (metric or "loss").partition("@")[0]
    for name, figure in pairs:
        if name == word:
            name = metric or "loss"
        if METRICS.find(name) is None:
            raise UNTIL_METRIC(name=name, hint=nearest(str(name), {*METRICS, word}))
        if name in goals:
            raise UNTIL_TWICE(until=setting("until"), name=name)
        goals[name] = _figure(name, figure)
    return goals


def _pair(part: Any) -> tuple[str, Any]:
    name, equals, figure = str(part).partition("=")
    return (name.strip(), figure.strip()) if equals else ("loss", name.strip())


def _figure(name: str, value: Any) -> float:
    try:
        figure = float(value)
    except (TypeError, ValueError):
        if name == "loss" and METRICS.find(str(value)) is not None:  # a metric without a value
            raise UNTIL_FORM(text=value, hint=_example()) from None
        raise UNTIL_NUMBER(value=value, hint=_example()) from None
    share, smaller = METRICS[name].share, METRICS[name].better < 0
    if not math.isfinite(figure) or (share and not 0 < figure <= 1) or (smaller and figure <= 0):
        limits = _("above 0 and at most 1") if share else _("above 0") if smaller else _("finite")
        raise UNTIL_RANGE(
            name=name,
            limits=limits,
            value=value,
            hint=_("Write it as a share: {until}.").format(until=setting("until", f"{name}={figure / 100:g}"))
            if share and 1 < figure <= 100
            else _example(),
        )
    return figure


def _example() -> str:
    return _("Write e.g. {loss} or {accuracy}.").format(
        loss=setting("until", "loss=1.6"), accuracy=setting("until", "accuracy=0.9")
    )


def goal_of(value: Any, metric: str | None = None) -> tuple[str, float] | None:
    """Read the single goal of a sweep, or of several seeds or folds. metric: as for ``goals_of``.

    Raises:
        TreinoError: several goals; as ``goals_of``.
    """
    goals = goals_of(value, metric)
    if len(goals) > 1:
        raise UNTIL_SEVERAL(n=len(goals), names=", ".join(goals), hint=_example())
    return next(iter(goals.items()), None)


def check_goals(goals: Iterable[str], training: TrainingLoop, data: Data) -> None:
    """Refuse a goal whose metric is not measured in this training.

    Raises:
        TreinoError: ``until_task``, with the measured metrics.
    """
    measured = metric_names(training.loss_function, training.outputs)
    for metric in goals:
        if metric not in measured:
            raise not_measured("until_task", metric, measured, data)


def not_measured(rule: str, metric: str, measured: Sequence[str], data: Data) -> TreinoError:
    """The refusal of a metric that is not measured for this target. rule: the error's."""
    if METRICS[metric].in_unit and len(data.by_target) > 1 and not data.classes:
        return METRIC_UNITS(metric=metric, names=", ".join(measured))
    return TreinoError(
        rule,
        _("{metric} is not measured where the target, {target}, is {what}.").format(
            metric=metric,
            target=data.target,
            what=_("a class of {n}").format(n=len(data.classes)) if data.classes else _("a number"),
        ),
        _("Use one of {names}.").format(names=", ".join(measured)),
    )


def items_of(value: Any, separators: str) -> list[Any]:
    """The items of a list or of a text with separators; a single value as one item; none for None."""
    if value is None:
        return []
    if isinstance(value, str):
        for separator in separators:
            value = value.replace(separator, separators[0])
        return [part.strip() for part in value.split(separators[0]) if part.strip()]
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        return [value]
    return list(value)
