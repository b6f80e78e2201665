"""At the end: what the rows of trainings and evaluations amount to, as events."""

from typing import Any

import numpy as np

from treino.diagnosis.record.log import Log, taken
from treino.diagnosis.record.nearness import nearest_copies
from treino.diagnosis.record.related import loose_labels, strongest
from treino.diagnosis.record.row_log import RowsEvaluated, RowsFitted, RowsTrained
from treino.diagnosis.record.scalers import in_estimator
from treino.diagnosis.record.tables import MOST_LABELS, name_of

MEASURED = 8  # evaluations that are held against their training's rows, one by one


def tell(log: Log, rows: Any) -> None:
    """All trainings, evaluations and fits."""
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
            near = nearest_copies(t.kept.rows(), e.kept.rows())
        log.tell(RowsEvaluated, **evaluated(rows, e, t) | near)
        if learned and len(e.fresh) >= 10 and not in_estimator(e.stack):
            for fit in rows.splits.fits(t, e, rows.evaluations.values()):
                log.tell(RowsFitted, net=t.net, at=e.site, stack=e.stack, loader=e.loader, **fit)


def trained(t: Any) -> dict[str, Any]:
    """A training's rows."""
    kept, columns = t.kept.rows(), t.columns
    deviation = columns.deviation[columns.deviation > 0]
    labels = np.concatenate(t.kept_labels) if t.kept_labels else np.zeros(0)
    classes = len(t.labels) <= MOST_LABELS
    first, later = sum(t.labels.values()), sum(t.later.values())
    alike = later > 0 and all(abs(t.labels[k] / first - t.later[k] / later) < 0.1 for k in t.labels)
    told = taken(RowsTrained, t) | {
        "rows": len(t.rows),
        "labels": {name_of(k): n for k, n in t.labels.items()} if classes else {},
        "largest": float(np.maximum(-columns.low, columns.high).max()) if columns.n else 0.0,
        "alike": alike and classes,
        "telling": telling(kept),
    }
    if len(deviation):
        spread = float(deviation.max() / deviation.min())
        told |= {"spread": spread, "middle": float(np.median(deviation))}
    if len(kept) == len(labels) and len(kept) >= 40 and bool(np.isfinite(kept).all()):
        told |= {"loose": loose_labels(kept, labels), "related": strongest(kept)}
        told["chance"] = chance(kept) * len(t.rows)
    return told


def telling(rows_ND: np.ndarray) -> float:
    """The share of rows that one column tells apart: 1 of measured numbers, little of words and pixels."""
    return max((len(np.unique(column)) for column in rows_ND.T), default=0) / max(1, len(rows_ND))


def chance(rows_ND: np.ndarray) -> float:
    """How likely two rows are to be equal, were their columns drawn on their own."""
    p = 1.0
    for column in rows_ND.T:
        counts = np.unique(column, return_counts=True)[1]
        p *= float(((counts / len(rows_ND)) ** 2).sum())
    return p


def evaluated(rows: Any, e: Any, t: Any) -> dict[str, Any]:
    """An evaluation's rows. t: the training that they are held against, if there is one."""
    changed, stable = e.changes()
    digests = e.label_digests()
    others = (o for o in rows.evaluations.values() if o is not e and digests & o.label_digests())
    classes = len(e.labels) <= MOST_LABELS and e.base is not None and e.base.labelled
    told = taken(RowsEvaluated, e) | {
        "learner": -1,
        "rows": len(e.rows),
        "trained": len(e.trained),
        "leaked": len(e.trained),
        "labels": {name_of(k): n for k, n in e.labels.items()} if classes else {},
        "looks": tuple(e.turns[:200]),
        "changed": changed,
        "stable": stable,
        "clean": any(not o.changes()[0] for o in others),
        "digest": f"{sum(e.first_rows) % 2**64:x}",
        "drawn": None,
    }
    # Numbers that are drawn and change nothing leave rows as they are: pixels, where training's hold noise.
    if t is not None and 2 * telling(e.kept.rows()) >= telling(t.kept.rows()):
        told["drawn"] = min(e.drawn & t.drawn, key=str, default=None)
    origin = e.reading.origin if e.reading is not None else None
    if origin is not None and origin.size <= 50_000:
        numbers = origin.all().tolist()
        drawn = t.numbers.get(origin.root, set()) if t is not None else set()
        told |= {"numbers": len(numbers), "by_number": len(drawn.intersection(numbers))}
    if t is not None and t.rows:
        told |= {"learner": t.net, "covers": len(e.rows & t.rows.keys()) / len(t.rows)}
    told |= rows.splits.part(e, rows.loaders.parts)
    return told
