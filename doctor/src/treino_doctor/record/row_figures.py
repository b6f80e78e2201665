"""Turn the rows of trainings and evaluations into events, when the program has ended."""

from typing import Any

from treino_doctor.record.arrays import np
from treino_doctor.record.log import Log, taken
from treino_doctor.record.other_labels import fitting
from treino_doctor.record.row_log import Evaluated, RowsEvaluated, RowsFitted, RowsTrained
from treino_doctor.record.scalers import in_estimator
from treino_doctor.record.tables import MOST_LABELS, Columns, chance, name_of

FEW, FAR = 20, 3.0  # rows that tell where a column lies; training's deviations that are far, or times as wide
NEWEST = 64  # evaluations of one place that are logged


def tell(log: Log, rows: Any) -> None:
    """Log all trainings, evaluations and fits."""
    for t in rows.trainings.values():
        if t.calls:
            log.tell(RowsTrained, **trained(t))
    for e in rows.evaluations.values():
        t = rows.learner(e.net)
        learned = t is not None and bool(t.rows)
        log.tell(RowsEvaluated, **evaluated(rows, e, t))
        whole = e.whole()
        for look in e.looks[-NEWEST:]:
            fields = taken(Evaluated, look) | {"labels": named(look.labels), "learned": learned}
            fields |= fitting(e, t, rows) if learned and look is e.look else {}
            log.tell(Evaluated, net=e.net, site=e.site, stack=e.stack, whole=look is whole, **fields)
        if learned and len(e.fresh) >= 10 and not in_estimator(e.stack):
            for fit in rows.splits.fits(t, e, rows.evaluations.values()):
                log.tell(RowsFitted, net=t.net, at=e.site, stack=e.stack, loader=e.loader, **fit)


def trained(t: Any) -> dict[str, Any]:
    """The fields of RowsTrained."""
    sample, columns = t.sample.rows(), t.columns
    deviation = columns.deviation[columns.deviation > 0]
    classes = len(t.labels) <= MOST_LABELS
    first, later = sum(t.labels.values()), sum(t.later.values())
    alike = later > 0 and all(abs(t.labels[k] / first - t.later[k] / later) < 0.1 for k in t.labels)
    largest = float(np.maximum(-columns.low, columns.high).max()) if columns.n else 0.0
    fields = taken(RowsTrained, t) | {"rows": len(t.rows), "labels": named(t.labels), "largest": largest}
    fields |= {"alike": alike and classes, "telling": telling(sample)}
    if len(deviation):
        spread = float(deviation.max() / deviation.min())
        fields |= {"spread": spread, "middle": float(np.median(deviation))}
    if len(sample) >= 40 and bool(np.isfinite(sample).all()):
        fields["chance"] = chance(sample) * len(t.rows)
    return fields


def named(labels: Any) -> dict[str, int]:
    """The count of each label by its name; empty if there are too many for classes."""
    return {name_of(k): n for k, n in labels.items()} if len(labels) <= MOST_LABELS else {}


def away(trained: Columns, judged: Columns) -> float:
    """The share of the columns of which an evaluation's new rows are elsewhere, or far wider or narrower."""
    if min(trained.n, judged.n) < FEW or trained.mean.shape != judged.mean.shape:
        return 0.0
    wide, own = trained.deviation, judged.deviation
    with np.errstate(all="ignore"):
        gap, ratio = np.abs(judged.mean - trained.mean) / wide, own / wide
    known = (wide > 0) & (own > 0)
    off = (gap > FAR) | (ratio > FAR) | (ratio < 1 / FAR)
    return float((known & off).sum() / max(1, known.sum()))


def telling(rows_ND: np.ndarray) -> float:
    """The largest share of distinct values in a column: 1 for measured numbers, low for words and pixels."""
    return max((len(np.unique(column)) for column in rows_ND.T), default=0) / max(1, len(rows_ND))


def evaluated(rows: Any, e: Any, t: Any) -> dict[str, Any]:
    """The fields of RowsEvaluated. t: the training that the rows are compared with, or None."""
    changed, stable = e.changes()
    digests = e.label_digests()
    others = (o for o in rows.evaluations.values() if o is not e and digests & o.label_digests())
    labelled = e.base is not None and e.base.labelled
    fields = taken(RowsEvaluated, e) | {"learner": -1, "rows": len(e.rows), "trained": len(e.trained)}
    fields |= {"leaked": len(e.trained), "looks": tuple(e.turns[:200]), "changed": changed, "stable": stable}
    fields |= {
        "labels": named(e.labels) if labelled else {},
        "predicted": e.predicted(rows.splits.scalers.written),
        "clean": any(not o.changes()[0] for o in others),
        "digest": f"{sum(e.first_rows) % 2**64:x}",
        "drawn": None,
        "draws": t is not None and t.draws and e.reading is not None and e.reading.draws,
    }
    # If random noise had changed these rows, they would have as many distinct values as training's.
    if t is not None and 2 * telling(e.sample.rows()) >= telling(t.sample.rows()):
        fields["drawn"] = min(e.drawn & t.drawn, key=str, default=None)
    origin = e.reading.origin if e.reading is not None else None
    if origin is not None and origin.size <= 50_000:
        numbers = origin.all().tolist()
        drawn = t.numbers.get(origin.root, set()) if t is not None else set()
        fields |= {"numbers": len(numbers), "by_number": len(drawn.intersection(numbers))}
    if t is not None and t.rows:
        fields |= {"learner": t.net, "covers": len(e.rows & t.rows.keys()) / len(t.rows)}
        fields["away"] = away(t.columns, e.columns)
        fields["gathered"] = len(e.fresh & t.rows.keys())
    fields |= rows.splits.part(e, rows.loaders.parts)
    return fields
