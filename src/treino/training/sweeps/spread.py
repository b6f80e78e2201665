"""Measure how every metric varies over seeds or folds; no winner is chosen from them."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch

from treino.base.words import _
from treino.data.splits import split_name
from treino.folders.documents import read_document
from treino.folders.documents.sweep import GoalSteps, Spread, SweepResult
from treino.folders.store import RunFolder
from treino.training.sweeps.bracket import TrainingBracket, kept_answers
from treino.training.sweeps.sweep_members import SweepTraining

SPLITS = ("validation", "test")


def member_figures(bracket: TrainingBracket) -> dict[str, dict[str, dict[str, float]]]:
    """``{member: {split: {metric: value}}}`` of the kept weights of all members that didn't diverge; NaN if a
    metric is undefined on these rows."""
    fine = {m for m, figure in bracket.figures().items() if figure is not None}
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for split in SPLITS:
        for population, kept in kept_answers(bracket, fine, split):
            measured = kept.figures(population.training.loss_function)
            for at, place in enumerate(kept.places):
                of = figures.setdefault(str(population.members[place]), {})
                of[split] = {name: float(value[at]) for name, value in measured.items()}
    return figures


def with_spread(result: SweepResult, folder: RunFolder, sweep: SweepTraining) -> SweepResult:
    """The result of seeds or folds with the mean and standard deviation of every metric."""
    by_member: dict[str, dict[str, dict[str, float | None]]] = {}
    for number in range(sweep.done):
        by_member |= read_document(folder, f"figures/{number}.json")
    figures = figure_spread(by_member)
    notes = (*result.notes, *_without(sweep, len(by_member)), *_undefined(figures))
    found: dict[str, Any] = {"kind": "spread", "figures": figures, "notes": notes}
    return result.model_copy(
        update=found | ({} if sweep.options.until is None else {"reached": _reached(sweep)})
    )


def figure_spread(
    by_member: Mapping[str, Mapping[str, Mapping[str, float | None]]],
) -> dict[str, dict[str, Spread]]:
    """The spread of each metric by split. None, for a metric undefined on these rows, is ignored."""
    spread: dict[str, dict[str, Spread]] = {}
    order = sorted(by_member, key=int)
    for split in SPLITS:
        names = dict.fromkeys(n for m in order for n in by_member[m].get(split, {}))
        for name in names:
            values = [by_member[m][split][name] for m in order if split in by_member[m]]
            spread.setdefault(split, {})[name] = summary(values)
    return spread


def summary(values: Sequence[float | None]) -> Spread:
    """Statistics of the values that aren't None; all None if there are none."""
    v = torch.tensor([x for x in values if x is not None], dtype=torch.float64)
    return Spread(
        mean=float(v.mean()) if len(v) else None,
        std=float(v.std()) if len(v) > 1 else None,
        min=float(v.min()) if len(v) else None,
        max=float(v.max()) if len(v) else None,
        values=tuple(values),
    )


def _without(sweep: SweepTraining, measured: int) -> list[str]:
    """A note on networks without metrics that didn't diverge: their outputs aren't finite."""
    count = sum(row["status"] != "diverged" for row in sweep.rows.last()) - measured
    if count and len(sweep.data.validation):
        sentence = _("{n} of {of} networks have no validation {metric}, and are in no figure.")
        return [sentence.format(n=count, of=len(sweep.configs), metric=sweep.metric)]
    return []


def _undefined(figures: Mapping[str, Mapping[str, Spread]]) -> list[str]:
    """A note for each metric that is undefined for some networks, such as AUC on rows of one class."""
    sentence = _(
        "{metric} is undefined on the {split} rows of {n} of {of} networks; its mean is of the others."
    )
    return [
        sentence.format(
            metric=metric, split=split_name(split), n=spread.values.count(None), of=len(spread.values)
        )
        for split, spreads in figures.items()
        for metric, spread in spreads.items()
        if None in spread.values
    ]


def _reached(sweep: SweepTraining) -> GoalSteps:
    """The number of steps that each network took to reach the requested metric value."""
    assert sweep.options.until is not None
    metric, value = sweep.options.until
    steps = [row.get("reached") for row in sweep.rows.last()]
    there = [s for s in steps if s is not None and not math.isnan(s)]
    return GoalSteps(
        metric=metric,
        value=value,
        steps=tuple(steps),
        min=min(there, default=None),
        median=median(there) if there else None,
        max=max(there, default=None),
        never=len(steps) - len(there),
    )
