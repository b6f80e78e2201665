"""Two runs judged on the same rows: each figure's difference with its interval, and which answers changed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.resampling import groups_of, percentile_interval, row_counts, weights_or_ones
from treino.base.words import _
from treino.engine.metrics import METRICS, measure
from treino.folders.documents.paired_runs import ChangedRow, FigureDifference, PairedRuns
from treino.folders.prediction import RowsAnswered, answered_rows
from treino.folders.row_hashes import row_groups
from treino.folders.stored_run import StoredRun
from treino.inspection.intervals import RESAMPLES, SURE, paired_classes, tail_of
from treino.inspection.outputs import predicted_classes
from treino.plots.report.run import learnt
from treino.reports.run_comparison import NOTHING_TO_COMPARE, RUN_TWICE

ROWS_WITHOUT_TARGET = Refusal(
    "No row has a value of '{target}', by which {a} and {b} are judged.",
    "Give rows whose truth is known: [[on=test.csv]].",
)
AXES_OF_TARGET = Refusal(
    "The target of {run} has axes, and single values or classes are compared.",
    "Compare the figures of each: treino predict {run} DATA",
)
AT_ONCE = 1 << 21  # numbers of outputs that are measured at a time

# ---- the comparison


def paired_runs(a: StoredRun, b: StoredRun, source: Any) -> PairedRuns:
    """Judge two runs on the rows of a source, whose targets are known.

    Raises:
        TreinoError: other targets or classes; rows that can't be prepared, or without targets.
    """
    if (a.name, a.path) == (b.name, b.path):
        raise RUN_TWICE(run=a.name)
    a, b = (run.refit or run for run in (a, b))  # which predicts
    for run in (a, b):
        if run.preparation.target_shape:
            raise AXES_OF_TARGET(run=run.name)
    kinds = [[(one.target, set(one.classes)) for one in run.preparation.by_target] for run in (a, b)]
    if kinds[0] != kinds[1]:
        raise NOTHING_TO_COMPARE(a=a.name, b=b.name, one=learnt(a.spec), other=learnt(b.spec))
    notes = [f"{run.name}: {run.trusted.refit_note}" for run in (a, b) if run.trusted.refit_note]
    both = answered_rows(a, source), answered_rows(b, source)
    known = both[0].prepared.with_target
    if known is None or both[1].prepared.with_target is None or not len(known):
        raise ROWS_WITHOUT_TARGET(target=a.preparation.target, a=a.name, b=b.name)
    alike = set(both[0].prepared.notes) & set(both[1].prepared.notes)
    notes += [note for note in both[0].prepared.notes if note in alike]
    for run, one in zip((a, b), both, strict=True):
        notes += [f"{run.name}: {note}" for note in one.prepared.notes if note not in alike]
    seen = [one.seen_K for one in both]
    kept_K = torch.ones(len(known), dtype=torch.bool)
    for seen_K in seen:
        kept_K &= kept_K if seen_K is None else ~seen_K
    if not kept_K.any():
        notes.append(_("Every row was trained on: the figures say nothing of new ones."))
        kept_K[:] = True
    elif not kept_K.all():
        text = _("Rows that {a} or {b} was trained on, and that are left out of the figures: {n:,}.")
        notes.append(text.format(a=a.name, b=b.name, n=int((~kept_K).sum())))
    if any(seen_K is None for seen_K in seen):
        notes.append(_("Whether the runs were trained on some of these rows is not known."))
    grouped = next((n for n, run in enumerate((a, b)) if run.spec.data.load.split_group), 0)
    group_K = groups_of(row_groups((a, b)[grouped], source, both[grouped].prepared, kept_K))
    figures = _figures((a, b), both, kept_K, group_K)
    deciding = [run.trusted.resolved.metric for run in (a, b)]
    metric = next(name for name in (deciding[0], *_DECIDING, *figures) if name in figures)
    if deciding[0] != deciding[1] or deciding[0] == "loss":
        metric = next(name for name in (*_DECIDING, *figures) if name in figures)
    changed, by = _changed((a, b), both)
    return PairedRuns(
        a=a.name,
        b=b.name,
        target=a.preparation.target,
        rows=len(both[0].prepared),
        compared=int(kept_K.sum()),
        trained_on={
            "a": None if seen[0] is None else int(seen[0].sum()),
            "b": None if seen[1] is None else int(seen[1].sum()),
        },
        groups=None if group_K is None else len(np.unique(group_K)),
        metric=metric,
        better=figures[metric].better,
        figures=tuple(figures.values()),
        changed=len(changed),
        changed_by=by,
        changed_rows=tuple(changed),
        notes=tuple(notes),
    )


_DECIDING = "accuracy", "rmse", "r2", "loss"
"""The figures that decide, the first that both runs have, unless both were kept by one of their own."""


def _figures(
    runs: tuple[StoredRun, StoredRun],
    both: tuple[RowsAnswered, RowsAnswered],
    kept_K: torch.Tensor,
    group_K: NDArray[np.int64] | None,
) -> dict[str, FigureDifference]:
    """The figures that both have, by their names, with the interval of the difference: the same rows, or
    whole groups of rows, are drawn for both, as in ``paired_errors``."""
    weight = next((one.prepared.weight for one in both if one.prepared.weight is not None), None)
    weight_K = weights_or_ones(None if weight is None else weight[kept_K], int(kept_K.sum()))
    measured = [_measured(*pair, kept_K, weight_K[None]) for pair in zip(runs, both, strict=True)]
    same_loss = runs[0].loss_function == runs[1].loss_function and runs[0].spec.classes  # else in own units
    names = [name for name in measured[0] if name in measured[1] and (name != "loss" or same_loss)]
    units = len(kept_K[kept_K]) if group_K is None else int(group_K.max()) + 1
    random, drawn = np.random.default_rng(0), list[NDArray[np.float64]]()
    block = max(1, AT_ONCE // max(1, len(weight_K) * both[0].output_NC.shape[1]))
    draws: list[dict[str, list[NDArray[np.float64]]]] = [{name: [] for name in names} for _run in runs]
    if units > 1:
        drawn = list(
            row_counts(units, RESAMPLES, lambda shape: random.integers(units, size=shape), block, group_K)
        )
    for count_BK in drawn:
        for place, (run, one) in enumerate(zip(runs, both, strict=True)):
            values = _measured(run, one, kept_K, count_BK * weight_K)
            for name in names:
                draws[place][name].append(values[name])
    exact = _mcnemar(runs, both, kept_K) if weight is None and group_K is None else None
    figures = {}
    for name in names:
        pair = [float(each[name][0]) for each in measured]
        figure: dict[str, Any] = {"metric": name, "low": None, "high": None}
        figure |= {key: value if np.isfinite(value) else None for key, value in zip("ab", pair, strict=True)}
        known = None not in (figure["a"], figure["b"])
        figure["difference"] = pair[1] - pair[0] if known else None
        apart_B = np.subtract(*(np.concatenate(each[name]) for each in reversed(draws))) if drawn else None
        if known and apart_B is not None and len(apart_B := apart_B[np.isfinite(apart_B)]):
            low, high = percentile_interval(apart_B, tail_of(units))
            figure |= {"low": low, "high": high}
            sure = low > 0 or high < 0
            if name == "accuracy" and exact is not None:
                figure["p"], sure = exact, sure and exact < SURE
            if sure:
                figure["better"] = "b" if (low > 0) == (METRICS[name].better > 0) else "a"
        figures[name] = FigureDifference(**figure)
    return figures


def _measured(
    run: StoredRun, one: RowsAnswered, kept_K: torch.Tensor, weight_BK: NDArray[np.float64]
) -> Mapping[str, NDArray[np.float64]]:
    """``{metric: [B]}`` for each row of weights."""
    known, y = _truth(one)
    output_KC = one.output_NC[known][kept_K]
    every_BKC = output_KC.expand(len(weight_BK), *output_KC.shape)
    weight = torch.from_numpy(weight_BK)
    scales = run.preparation.scales
    figures = measure(every_BKC, y[kept_K], run.loss_function, scales, weight, threshold=run.threshold)
    return {name: value.numpy() for name, value in figures.items()}


def _truth(one: RowsAnswered) -> tuple[torch.Tensor, torch.Tensor]:
    """The places of the rows whose truth is known, and their targets; there are some."""
    assert one.prepared.with_target is not None
    assert one.prepared.y is not None
    return one.prepared.with_target, one.prepared.y


def _mcnemar(
    runs: tuple[StoredRun, StoredRun], both: tuple[RowsAnswered, RowsAnswered], kept_K: torch.Tensor
) -> float | None:
    """The chance of McNemar's exact test for one target of classes; None for others."""
    if not runs[0].spec.classes or len(runs[0].by_target) > 1:
        return None
    right = []
    for run, one in zip(runs, both, strict=True):
        known, y = _truth(one)
        said_K = predicted_classes(one.output_NC[known], run.threshold)
        right.append((said_K == y)[kept_K].numpy())
    return paired_classes(*right).p


def _changed(
    runs: tuple[StoredRun, StoredRun], both: tuple[RowsAnswered, RowsAnswered]
) -> tuple[list[ChangedRow], str]:
    """The rows whose class differs, or whose numbers differ by more than the first run is wrong in the mean
    square; and what counts as changed, in words."""
    prepared, classes = both[0].prepared, bool(runs[0].spec.classes)
    answers = [one.values for one in both]  # for each target, of each row
    truths = _truths(runs[0], both[0])
    changed_N = np.zeros(len(prepared), dtype=bool)
    for a_N, b_N, true_N in zip(*answers, truths, strict=True):
        if classes:
            changed_N |= np.array([x != y for x, y in zip(a_N, b_N, strict=True)], dtype=bool)
            continue
        numbers = [np.array([np.nan if v is None else v for v in each], float) for each in (a_N, b_N, true_N)]
        error_N = (numbers[0] - numbers[2])[np.isfinite(numbers[2])]
        limit = float(np.sqrt(np.nanmean(error_N**2)))
        changed_N |= np.abs(numbers[1] - numbers[0]) > limit
    by = _("another class")
    if not classes:
        by = _("a difference above the RMSE of {run}").format(run=runs[0].name)

    def cell(of_targets: list[list[Any]], row: int) -> Any:
        values = [each[row] for each in of_targets]
        return values[0] if len(values) == 1 else values

    names = prepared.names or ("",) * len(prepared)
    rows = [
        ChangedRow(
            row=int(prepared.index[n]),
            truth=cell(truths, n),
            a=cell(answers[0], n),
            b=cell(answers[1], n),
            file=names[n],
        )
        for n in np.flatnonzero(changed_N).tolist()
    ]
    return rows, by


def _truths(run: StoredRun, one: RowsAnswered) -> list[list[Any]]:
    """For each target the truth of each row; None where it is not known."""
    (known, y), truths = _truth(one), []
    for number, of in enumerate(run.preparation.by_target):
        own_K = (y if y.dim() > 1 else y[:, None])[:, number]
        values = (
            [of.classes[c] for c in own_K.tolist()] if of.classes else _numbers(of.values(own_K.double()))
        )
        true_N: list[Any] = [None] * len(one.prepared)
        for row, value in zip(known.tolist(), values, strict=True):
            true_N[row] = value
        truths.append(true_N)
    return truths


def _numbers(value_K: torch.Tensor) -> list[float]:
    """The numbers, of which the network got seven digits."""
    return [float(f"{value:.7g}") for value in value_K.tolist()]
