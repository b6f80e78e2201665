"""Goals: metric values given as ``until`` for sweeps, studies, seeds and folds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from treino.base.errors import TreinoError, nearest
from treino.base.words import _, setting
from treino.data.dataset import Data
from treino.engine.metrics import METRICS


def goals_of(value: Any) -> dict[str, float]:
    """Read goals: ``loss=1.6``, ``1.6`` (a loss), several joined by a comma or |, a pair or a dict.

    Raises:
        TreinoError: an unknown metric, no value, a value out of range, or a metric given twice.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        pairs: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, (tuple, list)) and len(value) == 2 and value[0] in METRICS:
        pairs = [(value[0], value[1])]
    else:
        pairs = [_pair(part) for part in items_of(value, ",|")]
    if not pairs:
        raise _no_figure(value)
    goals: dict[str, float] = {}
    for name, figure in pairs:
        if name not in METRICS:
            raise TreinoError(
                "until_metric",
                _("There is no metric {name!r}.").format(name=name),
                nearest(str(name), METRICS),
            )
        if name in goals:
            raise TreinoError(
                "until_twice",
                _("{until} names {name} twice.").format(until=setting("until"), name=name),
                _("Give one figure for it."),
            )
        goals[name] = _figure(name, figure)
    return goals


def _pair(part: Any) -> tuple[str, Any]:
    name, equals, figure = str(part).partition("=")
    return (name.strip(), figure.strip()) if equals else ("loss", name.strip())


def _figure(name: str, value: Any) -> float:
    try:
        figure = float(value)
    except (TypeError, ValueError):
        if name == "loss" and str(value) in METRICS:  # a metric without a value
            raise _no_figure(value) from None
        raise TreinoError(
            "until_number",
            _("{value!r} is no figure to reach.").format(value=value),
            _example(),
        ) from None
    share, smaller = METRICS[name].share, METRICS[name].better < 0
    if not math.isfinite(figure) or (share and not 0 < figure <= 1) or (smaller and figure <= 0):
        limits = _("above 0 and at most 1") if share else _("above 0") if smaller else _("finite")
        raise TreinoError(
            "until_range",
            _("A figure of {name} to reach is {limits}; it is {value}.").format(
                name=name, limits=limits, value=value
            ),
            _("Write it as a share: {until}.").format(until=setting("until", f"{name}={figure / 100:g}"))
            if share and 1 < figure <= 100
            else _example(),
        )
    return figure


def _no_figure(value: Any) -> TreinoError:
    return TreinoError(
        "until_form",
        _("{text!r} doesn't say which figure is to be reached.").format(text=value),
        _example(),
    )


def _example() -> str:
    return _("Write e.g. {loss} or {accuracy}.").format(
        loss=setting("until", "loss=1.6"), accuracy=setting("until", "accuracy=0.9")
    )


def goal_of(value: Any) -> tuple[str, float] | None:
    """Read the single goal of a sweep, or of several seeds or folds.

    Raises:
        TreinoError: several goals; as ``goals_of``.
    """
    goals = goals_of(value)
    if len(goals) > 1:
        raise TreinoError(
            "until_several",
            _("{n} figures are to be reached, and these networks go for one: {names}.").format(
                n=len(goals), names=", ".join(goals)
            ),
            _example(),
        )
    return next(iter(goals.items()), None)


def check_goals(goals: Iterable[str], measured: Sequence[str], data: Data) -> None:
    """Refuse a goal whose metric is not measured for this target.

    Raises:
        TreinoError: ``until_task``, with the measured metrics.
    """
    for metric in goals:
        if metric not in measured:
            raise not_measured("until_task", metric, measured, data)


def not_measured(rule: str, metric: str, measured: Sequence[str], data: Data) -> TreinoError:
    """The refusal of a metric that is not measured for this target. rule: the error's."""
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
