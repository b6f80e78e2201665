"""Comparison of several runs for a report: whether they share rows, and the tests' results."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch

from treino.base.errors import Refusal, TreinoError
from treino.base.resampling import groups_of
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.metrics import row_losses
from treino.folders.documents.reading import read_document
from treino.folders.stored_run import StoredRun
from treino.inspection.intervals import PairedTest, holm, paired_classes, paired_errors, paired_losses
from treino.inspection.outputs import outputs, predicted_classes
from treino.plots.report.compare import RunComparison
from treino.plots.report.run import learnt
from treino.reports.run_report import Tell, check_begun, run_report_of, silent

RUN_TWICE = Refusal("{run} is named twice.", "Name it once.")
NOTHING_TO_COMPARE = Refusal(
    "{a} learns {one}, and {b} learns {other}: no figure of theirs means the same.", "Write a report on each."
)

# ---- comparison of several runs


def compared(
    runs: Sequence[StoredRun], errors: list[TreinoError], *, pictures: bool = True, tell: Tell = silent
) -> RunComparison:
    """Return the runs' facts, their differences, and the paired tests of each run against the first.

    errors: gets the defects for which something is left out. pictures: include what is drawn. tell: gets each
    run before it is measured.

    Raises:
        TreinoError: a run given twice, or runs with different targets or classes.
    """
    names = [run.name for run in runs]
    places = [run.path.resolve() for run in runs]
    if twice := next((n for n, place in zip(names, places, strict=True) if places.count(place) > 1), None):
        raise RUN_TWICE(run=twice)
    for run in runs:
        check_begun(run)
    first = runs[0].spec
    for run in runs[1:]:
        other = run.spec
        if (first.resolved.target, first.classes) != (other.resolved.target, other.classes):
            raise NOTHING_TO_COMPARE(a=names[0], b=run.name, one=learnt(first), other=learnt(other))
    facts = []
    for number, run in enumerate(runs, 1):
        tell(run.name, number, len(runs))
        facts.append(run_report_of(run, whole=False, pictures=pictures, errors=errors))
    apart = _apart(runs)
    tests = [] if apart else [_paired(runs[0], run) for run in runs[1:]]
    adjusted = holm([t.p for t in tests])
    return RunComparison(
        runs=facts,
        differing=_differing(runs),
        paired=list(zip(tests, adjusted, strict=True)),
        apart=apart,
        same_validation=_same_rows(runs, "validation") == "",
        same_loss=len({run.loss_function for run in runs}) == 1,
    )


def _differing(runs: Sequence[StoredRun]) -> list[tuple[str, list[Any]]]:
    """Return data, settings, sizes and times that are not equal in all runs."""
    every = []
    for run in runs:
        seconds, begin = (run.result.seconds, run.result.timed_from) if run.result else (None, None)
        every.append(_facts(run) | {"seconds": seconds, "seconds_from_step": begin or None})
    return _unequal(every)


def _unequal(every: Sequence[dict[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Return the values of all runs by the names of those that are not equal."""
    rows = [(name, [flat.get(name) for flat in every]) for name in dict.fromkeys(chain(*every))]
    return [(name, values) for name, values in rows if any(v != values[0] for v in values)]


def _apart(runs: Sequence[StoredRun]) -> str:
    """Return why the test metrics can't be compared; "" if they can."""
    for run in runs:
        result = run.result
        test = (result and result.metrics.test) or {}
        if all(test.get(name) is None for name in ("accuracy", "rmse", "r2")):
            return _("{run} has no test figure.").format(run=run.name)
    return _same_rows(runs, "test")


def _same_rows(runs: Sequence[StoredRun], split: str) -> str:
    """Return "" if all runs have the same rows in this split, else the reason why not."""
    try:
        data = [run.data for run in runs]
    except TreinoError as error:
        return str(error)
    for run, other in zip(runs[1:], data[1:], strict=True):
        if not _same(data[0], data[0].splits[split], other, other.splits[split]):
            return _("{a} and {b} have other {split} rows: their splits differ.").format(
                a=runs[0].name, b=run.name, split=_(split)
            )
    return ""


def _same(a: Data, rows_a: Rows, b: Data, rows_b: Rows) -> bool:
    """Whether the rows have the same source, equal indices and weights, and equal targets in the target's
    units."""
    if (a.name, a.sha256) != (b.name, b.sha256) or not rows_a.index.equal(rows_b.index):
        return False
    ones = torch.ones(len(rows_a))
    weights = [ones if rows.weight is None else rows.weight for rows in (rows_a, rows_b)]
    if not weights[0].equal(weights[1]):
        return False
    if a.task == "classification":
        return rows_a.y.equal(rows_b.y)
    own_a, own_b = (d.preparation.values(r.y.double()) for d, r in ((a, rows_a), (b, rows_b)))
    return own_a.shape == own_b.shape and torch.allclose(own_a, own_b, rtol=1e-5, atol=1e-6 * a.target_scale)


def _paired(a: StoredRun, b: StoredRun) -> PairedTest:
    weight, group_N = a.data.test.weight, groups_of(a.data.test.group)
    weight_N = None if weight is None else weight.double().numpy()
    if len(a.by_target) > 1:
        (loss_a_N, mass_N), (loss_b_N, _same_mass) = (
            row_losses(_output(run), run.data.test.y, run.loss_function, weight) for run in (a, b)
        )
        return paired_losses(loss_a_N, loss_b_N, mass_N, group_N=group_N)
    if a.data.task == "classification":
        return paired_classes(_right(a), _right(b), weight_N, group_N)
    return paired_errors(_error(a), _error(b), weight_N=weight_N, group_N=group_N)


def _output(run: StoredRun) -> torch.Tensor:
    return outputs(run.module, run.data.test.x, item_shape=run.item_shape)


def _right(run: StoredRun) -> np.ndarray:
    said_N = predicted_classes(_output(run), run.threshold)
    return np.asarray((said_N == run.data.test.y).numpy())


def _error(run: StoredRun) -> np.ndarray:
    """Return ``[N]`` errors in the target's units."""
    p = run.preparation
    error_N1 = p.predictions(_output(run).double()) - p.values(run.data.test.y.double())
    return np.asarray(error_N1[:, 0].numpy())


# ---- differences of two runs


def differences(a: StoredRun, b: StoredRun) -> list[dict[str, Any]]:
    """Return ``{what, a, b}`` for the data, every setting and every metric in which the runs differ."""
    every = []
    for run in (a, b):
        metrics = (run.document.get("metrics") or {}).items()
        measured = {f"{split} {name}": value for split, of in metrics for name, value in (of or {}).items()}
        every.append(_facts(run) | measured)
    return [{"what": name, "a": one, "b": two} for name, (one, two) in _unequal(every)]


def _facts(run: StoredRun) -> dict[str, Any]:
    d, data = run.document, read_document(run.folder, "spec.json")["data"]
    sizes = {name: d.get(name) for name in ("status", "steps", "epochs", "kept_epoch", "parameters")}
    return {"data": data["name"], "data_sha256": data["sha256"], **d.get("settings", {}), **sizes}
