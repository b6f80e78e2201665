"""How much figures vary over several seeds or folds: means and deviations of every metric."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch

from treino.documents import read_document
from treino.engine.metrics import measure
from treino.plots.style import split_name
from treino.store import RunFolder
from treino.tuning.bracket import ANSWERED_AT_ONCE, TrainingBracket, member_outputs
from treino.tuning.judgement import sweep_document
from treino.tuning.sweep_state import SweepProgress, SweepTraining
from treino.words import _

SPLITS = ("validation", "test")


def member_figures(bracket: TrainingBracket) -> dict[str, dict[str, dict[str, float]]]:
    """``{member: {split: {metric: value}}}`` of the kept weights of everyone who didn't diverge; NaN where a
    metric has no value on these rows."""
    fine = {m for m, figure in bracket.figures().items() if figure is not None}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for group, training in zip(bracket.groups, bracket.trainings, strict=True):
        rows = [row for row, member in enumerate(group.members) if member in fine]
        for split in SPLITS:
            part = group.data.splits[split]
            if not len(part):
                continue
            size = max(1, ANSWERED_AT_ONCE // (len(part) * training.outputs))
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                output_RNC = member_outputs(training, some, part.x)
                y = training.loss_function.target(part.y, output_RNC.dtype)
                measured = measure(output_RNC, y, training.loss_function, group.data.target_scale)
                for place, row in enumerate(some):
                    of = found.setdefault(str(group.members[row]), {})
                    of[split] = {name: float(value[place]) for name, value in measured.items()}
    return found


def finish_repeats(folder: RunFolder, sweep: SweepTraining, progress: SweepProgress) -> dict[str, Any]:
    """Write the document with the mean and deviation of every figure, and seal the folder."""
    document = sweep_document(folder, sweep, progress)
    by_member: dict[str, dict[str, dict[str, float | None]]] = {}
    for number in range(sweep.done):
        by_member |= read_document(folder, f"figures/{number}.json")
    document["kind"] = "spread"
    document["figures"] = figure_spread(by_member)
    document["notes"] += [*_without(sweep, len(by_member)), *_undefined(document["figures"])]
    if sweep.options.until is not None:
        document["reached"] = _reached(sweep)
    folder.write_json("result.json", document)
    folder.seal(sweep.status)
    return document


def figure_spread(by_member: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> dict[str, Any]:
    """``{split: {metric: {mean, std, min, max, values}}}``; std is the sample's, None of a single value.

    A value that is None, for the metric has none on these rows, counts nowhere.
    """
    found: dict[str, Any] = {}
    order = sorted(by_member, key=int)
    for split in SPLITS:
        names = dict.fromkeys(n for m in order for n in by_member[m].get(split, {}))
        for name in names:
            values = [by_member[m][split][name] for m in order if split in by_member[m]]
            found.setdefault(split, {})[name] = summary(values)
    return found


def summary(values: Sequence[float | None]) -> dict[str, Any]:
    """Of the values that there are; all are None where there is none."""
    v = torch.tensor([x for x in values if x is not None], dtype=torch.float64)
    return {
        "mean": float(v.mean()) if len(v) else None,
        "std": float(v.std()) if len(v) > 1 else None,
        "min": float(v.min()) if len(v) else None,
        "max": float(v.max()) if len(v) else None,
        "values": list(values),
    }


def _without(sweep: SweepTraining, measured: int) -> list[str]:
    """That networks which didn't diverge have no figure either, where their answers are not finite."""
    count = sum(row["status"] != "diverged" for row in sweep.rows.last()) - measured
    if count and len(sweep.data.validation):
        said = _("{n} of {of} networks have no validation {metric}, and are in no figure.")
        return [said.format(n=count, of=len(sweep.configs), metric=sweep.metric)]
    return []


def _undefined(figures: Mapping[str, Any]) -> list[str]:
    """A sentence for each metric that some networks have no value of, as AUC on rows of one class."""
    said = _("{metric} is undefined on the {split} rows of {n} of {of} networks; its mean is of the others.")
    return [
        said.format(metric=metric, split=split_name(split), n=values.count(None), of=len(values))
        for split, of in figures.items()
        for metric, values in ((name, found["values"]) for name, found in of.items())
        if None in values
    ]


def _reached(sweep: SweepTraining) -> dict[str, Any]:
    """The steps to the figure that was asked for."""
    assert sweep.options.until is not None
    metric, value = sweep.options.until
    steps = [row.get("reached") for row in sweep.rows.last()]
    there = [s for s in steps if s is not None and not math.isnan(s)]
    return {
        "metric": metric,
        "value": value,
        "steps": steps,
        "min": min(there, default=None),
        "median": median(there) if there else None,
        "max": max(there, default=None),
        "never": len(steps) - len(there),
    }
