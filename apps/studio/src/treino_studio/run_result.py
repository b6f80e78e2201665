"""How a run ended, for its page: sentences, and figures of the kept weights and the last step."""

from typing import Any

from treino.base.words import _
from treino.folders import RunResult, StoredRun, path
from treino.plots import ending, figure, figures_table, headline


def run_result(run: StoredRun) -> dict[str, Any] | None:
    """``result`` of the page's state; None before the run has ended.

    sentences: how it ended, and its test score beside its baselines. head, rows: its figures, for the kept
    weights, and in one column the last step. kept: the step and epoch of the kept weights, and the last
    step, if they differ; the step is None for an ensemble, whose networks are each kept at another step.
    notes: what was found on the way.
    """
    result = run.result
    if result is None:
        return None
    table = figures_table(result)
    head, rows = ([], []) if table is None else (list(table.head), [list(row) for row in table.rows])
    kept = _kept(result)
    if kept is not None and "validation" in result.metrics.measured:
        at = 1 + list(result.metrics.measured).index("validation")
        head.insert(at + 1, _("validation, last step"))
        last_step = _last_step(run)
        last = [rows[0][at], *(figure(last_step.get(m)) for m in result.metrics.measured["validation"])]
        for row, text in zip(rows, [*last, *[""] * (len(rows) - len(last))], strict=True):
            row.insert(at + 1, text)
    told = [run.refit_note] if run.refit_note else []
    return {
        "sentences": [sentence for sentence in (ending(result), headline(result)) if sentence],
        "head": head,
        "rows": rows,
        "kept": kept,
        "notes": [*told, *(note for note in result.notes if note not in run.spec.facts.notes)],
    }


def _kept(result: RunResult) -> dict[str, int | None] | None:
    apart = (
        {result.kept_step}
        if not result.members
        else set(result.answering_steps or (result.members[k].kept_step for k in result.answering))
    )
    if result.kept_step is None or apart == {result.steps}:
        return None
    one = len(apart) == 1
    step, epoch = (result.kept_step, result.kept_epoch) if one else (None, None)
    return {"step": step, "epoch": epoch, "last": result.steps}


def _last_step(run: StoredRun) -> dict[str, float]:
    """The metrics of validation rows as they were last measured."""
    for stretch in reversed(path(run.spec)):
        most = stretch.epochs.ended(run.steps if stretch.stop is None else stretch.stop)
        if rows := run.folder.database.last_epoch(stretch.segment.number, "validation", most):
            return {row.metric: row.value for row in rows}
    return {}
