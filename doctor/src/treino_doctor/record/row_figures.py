"""Turn the rows of trainings and evaluations into events, when the program has ended."""

from typing import Any

from treino_doctor.record.arrays import np
from treino_doctor.record.log import Log, taken
from treino_doctor.record.related import loose_labels, strongest
from treino_doctor.record.row_log import Evaluated, RowsEvaluated, RowsFitted, RowsTrained
from treino_doctor.record.scalers import in_estimator
from treino_doctor.record.tables import MOST_LABELS, chance, name_of

NEWEST = 64  # evaluations of one place that are logged
MEASURED = 8  # evaluations whose rows are compared one by one with training's
NEAREST = 16  # number of nearest training rows of an evaluation row that are compared
FLAT = 0.3  # times the columns' median deviation: a column's scale is at least this
GAP = 3.0  # a gap: a neighbour this many times as far as the previous one
BLOCK = 6  # distinct numbers that identify a position in a series
LEAST, MANY = 20, 100  # numbers of rows


def tell(log: Log, rows: Any) -> None:
    """Log all trainings, evaluations and fits."""
    for t in rows.trainings.values():
        if t.calls:
            log.tell(RowsTrained, **trained(t))
    measured = 0
    for e in rows.evaluations.values():
        t = rows.learner(e.net)
        learned = t is not None and bool(t.rows)
        near: dict[str, Any] = {}
        if learned and len(e.fresh) >= 20 and not e.made and measured < MEASURED:
            measured += 1
            near = nearest_copies(t.sample.rows(), e.sample.rows())
        log.tell(RowsEvaluated, **evaluated(rows, e, t) | near)
        whole = e.whole()
        for look in e.looks[-NEWEST:]:
            fields = taken(Evaluated, look) | {"labels": named(look.labels), "learned": learned}
            log.tell(Evaluated, net=e.net, site=e.site, stack=e.stack, whole=look is whole, **fields)
        if learned and len(e.fresh) >= 10 and not in_estimator(e.stack):
            for fit in rows.splits.fits(t, e, rows.evaluations.values()):
                log.tell(RowsFitted, net=t.net, at=e.site, stack=e.stack, loader=e.loader, **fit)


def trained(t: Any) -> dict[str, Any]:
    """The fields of RowsTrained."""
    sample, columns = t.sample.rows(), t.columns
    deviation = columns.deviation[columns.deviation > 0]
    labels = np.concatenate(t.sample_labels) if t.sample_labels else np.zeros(0)
    classes = len(t.labels) <= MOST_LABELS
    first, later = sum(t.labels.values()), sum(t.later.values())
    alike = later > 0 and all(abs(t.labels[k] / first - t.later[k] / later) < 0.1 for k in t.labels)
    largest = float(np.maximum(-columns.low, columns.high).max()) if columns.n else 0.0
    fields = taken(RowsTrained, t) | {"rows": len(t.rows), "labels": named(t.labels), "largest": largest}
    fields |= {"alike": alike and classes, "telling": telling(sample)}
    if len(deviation):
        spread = float(deviation.max() / deviation.min())
        fields |= {"spread": spread, "middle": float(np.median(deviation))}
    if len(sample) == len(labels) and len(sample) >= 40 and bool(np.isfinite(sample).all()):
        fields |= {"loose": loose_labels(sample, labels), "related": strongest(sample)}
        fields["chance"] = chance(sample) * len(t.rows)
        if t.flat and t.floating and not t.made:
            column = t.label_columns.label_column(sample, labels)
            fields["label_column"] = max(-1, column * t.stride)
    return fields


def named(labels: Any) -> dict[str, int]:
    """The count of each label by its name; empty if there are too many for classes."""
    return {name_of(k): n for k, n in labels.items()} if len(labels) <= MOST_LABELS else {}


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
        fields["gathered"] = len(e.fresh & t.rows.keys())
    fields |= rows.splits.part(e, rows.loaders.parts)
    return fields


def nearest_copies(train: np.ndarray, held_out: np.ndarray) -> dict[str, Any]:
    """Return the number of rows that nearly equal training rows, the number compared, and the measure."""
    fits = len(held_out) >= LEAST and len(train) >= MANY and train.shape[1] == held_out.shape[1]
    if not fits or not np.isfinite(train).all() or not np.isfinite(held_out).all():
        return {"near_of": len(held_out)}
    counts = (far_nearer(train, held_out), "near"), (shifted_windows(train, held_out), "windows")
    near, measure = max(counts, key=lambda one: one[0])
    return {"near": near, "near_of": len(held_out), "measure": measure}


def far_nearer(train: np.ndarray, held_out: np.ndarray) -> int:
    """The number of rows that are much nearer to a few training rows than to all others."""
    two = np.unique(train, axis=0)
    spread = two.std(axis=0)
    moving = spread > 0
    if moving.sum() < 4 or len(two) < MANY:
        return 0
    size = np.maximum(spread[moving], FLAT * np.median(spread[moving])).astype(np.float32)
    one, two = (t[:, moving].astype(np.float32) / size for t in (held_out, two))
    squares = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1)[None] - 2 * one @ two.T
    nearest = np.partition(np.maximum(squares, 1e-6), NEAREST, axis=1)[:, : NEAREST + 1]
    nearest.sort(axis=1)
    return int((nearest[:, 1:] > GAP**2 * nearest[:, :-1]).any(axis=1).sum())


def shifted_windows(train: np.ndarray, held_out: np.ndarray) -> int:
    """The number of rows that share half or more of a training row, shifted, as windows of one series do."""
    width = held_out.shape[1]
    if width < 2 * BLOCK:
        return 0
    shared = np.zeros(len(held_out), bool)
    for rows, others, back in ((held_out, train, False), (train, held_out, True)):
        starts = {r.tobytes(): n for n, r in enumerate(np.ascontiguousarray(others[:, :BLOCK]))}
        for at in range(1, min(width // 2, 32) + 1):
            blocks = np.ascontiguousarray(rows[:, at : at + BLOCK])
            for n, block in enumerate(blocks):
                m = starts.get(block.tobytes())
                same = m is not None and len(set(block.tolist())) == BLOCK
                if same and np.array_equal(rows[n, at:], others[m, : width - at]):
                    shared[m if back else n] = True
    return int(shared.sum())
