"""Uncertainty of a finished run's answers: intervals of numbers, calibration of probabilities, thresholds."""

from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.inspection.calibration import calibration, cost_of, threshold_of
from treino.inspection.outputs import outputs, probabilities
from treino.inspection.prediction_intervals import interval_rule, members_spread
from treino.plots.style import split_name
from treino.words import _

ItemShape = tuple[int, ...] | None


class Uncertainty(NamedTuple):
    """Figures and notes on them. figures: parts of ``result.json``. notes: one sentence each."""

    figures: dict[str, Any]
    notes: list[str]


def uncertainty(net: nn.Module, data: Data, item_shape: ItemShape, threshold: str | None) -> Uncertainty:
    """Intervals of a regression, or the calibration of a classification, with a threshold if the settings ask
    for one."""
    if not data.classes:
        made = prediction_intervals(net, data, item_shape)
        if made is not None:
            return Uncertainty({"prediction_intervals": made}, intervals_notes(made, len(data.test)))
        few = [_("Predictions carry no intervals: there are too few validation rows.")]
        return Uncertainty({}, few if len(data.validation) else [])
    figures: dict[str, Any] = {}
    notes: list[str] = []
    if len(data.test) and (result := calibration(net, data, item_shape=item_shape)) is not None:
        names = ("split", "rows", "error", "chance")
        figures["calibration"] = {name: getattr(result, name) for name in names}
        sentence = _(
            "Probabilities are off by {error:.1%} on average on {n:,} {split} rows (expected calibration "
            "error; those of a perfect network: up to {chance:.1%})."
        )
        split = split_name(result.split)
        notes.append(sentence.format(error=result.error, n=result.rows, split=split, chance=result.chance))
    if threshold is not None:
        tuned = _threshold(net, data, item_shape, threshold)
        figures |= tuned.figures
        notes += tuned.notes
    return Uncertainty(figures, notes)


def prediction_intervals(
    net: nn.Module, data: Data, item_shape: tuple[int, ...] | None
) -> dict[str, Any] | None:
    """The intervals from the errors on validation rows, as stored; None if there are too few rows."""
    if not len(data.validation) or data.train.y.shape[1] != 1:
        return None
    errors = []
    for rows in (data.validation, data.test):
        output_N = outputs(net, rows.x, item_shape=item_shape)[:, 0].double()
        error_N = ((output_N - rows.y[:, 0].double()).abs() * data.target_scale).numpy()
        errors.append((error_N, members_spread(net, rows.x, data.target_scale, item_shape)))
    rule = interval_rule(*errors[0])
    if rule is None:
        return None
    error_N, spread_N = errors[1]
    held_N = error_N <= rule.half_widths(spread_N, len(error_N))
    coverage = float(held_N.mean()) if len(error_N) else None
    return asdict(rule) | {"rows": len(data.validation), "coverage": coverage}


def intervals_notes(made: dict[str, Any], rows: int) -> list[str]:
    """A note on the share of test rows inside the intervals."""
    if made["coverage"] is None:
        return []
    return [
        _("Predictions carry {level:.0%} intervals; on the {n:,} test rows they hold {share:.1%}.").format(
            level=made["level"], n=rows, share=made["coverage"]
        )
    ]


def _threshold(net: nn.Module, data: Data, item_shape: ItemShape, rule: str) -> Uncertainty:
    """The probability from which the second of two classes is predicted, and its effect on test rows."""

    def positive(rows: Rows) -> np.ndarray:
        return probabilities(outputs(net, rows.x, item_shape=item_shape))[:, 1].double().numpy()

    value = threshold_of(positive(data.validation), data.validation.y.numpy() == 1, rule)
    if value is None:
        return Uncertainty({}, [_("There is no threshold: the validation rows hold one class only.")])
    name = data.classes[1]
    made: dict[str, Any] = {"rule": rule, "positive": name, "value": value}
    made |= dict.fromkeys(("accuracy", "precision", "recall"))
    notes = [_("{name} is predicted from a probability of {value:.3g} on.").format(name=name, value=value)]
    if len(data.test):
        share_N, true_N = positive(data.test), data.test.y.numpy() == 1
        predicted_N = share_N >= value
        hits, wrong = int((predicted_N & true_N).sum()), int((predicted_N & ~true_N).sum())
        made["accuracy"] = float((predicted_N == true_N).mean())
        made["precision"] = hits / (hits + wrong) if predicted_N.any() else None
        made["recall"] = hits / int(true_N.sum()) if true_N.any() else None
        sentence = _(
            "On the test rows {right:.1%} are right then: {found:,} of {of:,} {name} are found; {wrong:,} "
            "others are taken for it."
        )
        counts = {"found": hits, "of": int(true_N.sum()), "wrong": wrong, "name": name}
        notes.append(sentence.format(right=made["accuracy"], **counts))
        if (costs := cost_of(rule)) is not None:
            sentence = _("Mistakes on them cost {cost:,.6g}; from 0.5 on they would cost {usual:,.6g}.")
            cost, usual = (
                costs[0] * int((one_N & ~true_N).sum()) + costs[1] * int((~one_N & true_N).sum())
                for one_N in (predicted_N, share_N > 0.5)
            )
            notes.append(sentence.format(cost=cost, usual=usual))
    return Uncertainty({"threshold": made}, notes)
