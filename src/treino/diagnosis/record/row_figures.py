"""At the end: what the rows of trainings and evaluations amount to, as events."""

import math
from typing import Any

import numpy as np

from treino.diagnosis.record.log import Log
from treino.diagnosis.record.nearness import nearest_copies
from treino.diagnosis.record.related import loose_labels, strongest
from treino.diagnosis.record.row_log import RowsEvaluated, RowsFitted, RowsTrained
from treino.diagnosis.record.tables import MOST_LABELS, name_of

MEASURED = 8  # evaluations that are held against their training's rows, one by one


def tell(log: Log, rows: Any, moment: dict[str, Any]) -> None:
    """All trainings, evaluations and fits."""
    for t in rows.trainings.values():
        if t.calls:
            log.add(trained(t, moment))
    measured = 0
    for e in rows.evaluations.values():
        t = rows.learner(e.net)
        near = 0, 0, ""
        if t is not None and t.rows and len(e.fresh) >= 20 and not e.made and measured < MEASURED:
            measured += 1
            near = nearest_copies(t.kept.rows(), e.kept.rows())
        log.add(evaluated(rows, e, t, near, moment))
        if t is not None and t.rows and len(e.fresh) >= 10:
            for fit in rows.splits.fits(t, e, rows.evaluations.values()):
                where = {"at": e.site, "stack": e.stack, "loader": e.reading.site if e.reading else None}
                log.add(RowsFitted(net=t.net, **where, **fit, **moment))


def trained(t: Any, moment: dict[str, Any]) -> RowsTrained:
    """A training's rows."""
    kept, columns = t.kept.rows(), t.columns
    deviation = columns.deviation[columns.deviation > 0]
    labels = np.concatenate(t.kept_labels) if t.kept_labels else np.zeros(0)
    finite = len(kept) == len(labels) and len(kept) >= 40 and bool(np.isfinite(kept).all())
    classes = len(t.labels) <= MOST_LABELS
    first = sum(t.labels.values())
    later = sum(t.later.values())
    alike = later > 0 and all(abs(t.labels[k] / first - t.later[k] / later) < 0.1 for k in t.labels)
    return RowsTrained(
        net=t.net,
        site=t.site,
        stack=t.stack,
        loader=t.reading.site if t.reading is not None else None,
        rows=len(t.rows),
        seen=t.seen,
        twice=t.twice,
        calls=t.calls,
        first=t.first,
        last=t.last,
        width=len(columns.sums),
        floating=t.floating,
        labels={name_of(k): n for k, n in t.labels.items()} if classes else {},
        low=t.low,
        high=t.high,
        largest=float(np.maximum(-columns.low, columns.high).max()) if columns.n else 0.0,
        spread=float(deviation.max() / deviation.min()) if len(deviation) else 1.0,
        middle=float(np.median(deviation)) if len(deviation) else 0.0,
        entering=t.entering,
        again=t.again,
        other=t.other,
        alike=alike and classes,
        loose=loose_labels(kept, labels) if finite else 0,
        related=strongest(kept) if finite else 0.0,
        made=t.made,
        right=t.right,
        judged=t.judged,
        chance=chance(kept) * len(t.rows) if finite else 0.0,
        telling=max((len(np.unique(column)) for column in kept.T), default=0) / max(1, len(kept)),
        **moment,
    )


def chance(rows_ND: np.ndarray) -> float:
    """How likely two rows are to be equal, were their columns drawn on their own."""
    p = 1.0
    for column in rows_ND.T:
        counts = np.unique(column, return_counts=True)[1]
        p *= float(((counts / len(rows_ND)) ** 2).sum())
    return p


def evaluated(rows: Any, e: Any, t: Any, near: tuple[int, int, str], moment: dict[str, Any]) -> RowsEvaluated:
    """An evaluation's rows."""
    changed, stable = e.changes()
    digests = {look.label_digest for look in e.looks if look.labelled}
    clean = any(
        o is not e and digests & {k.label_digest for k in o.looks if k.labelled} and not o.changes()[0]
        for o in rows.evaluations.values()
    )
    origin = e.reading.origin if e.reading is not None else None
    numbers = origin.all() if origin is not None and origin.size <= 50_000 else np.zeros(0, int)
    drawn = t.numbers.get(origin.root, set()) if t is not None and origin is not None else set()
    classes = len(e.labels) <= MOST_LABELS and e.base is not None and e.base.labelled
    part = {"leaked": len(e.trained)} | rows.splits.part(e, rows.loaders.parts)
    return RowsEvaluated(
        net=e.net,
        learner=t.net if t is not None and t.rows else -1,
        site=e.site,
        stack=e.stack,
        loader=e.reading.site if e.reading is not None else None,
        rows=len(e.rows),
        trained=len(e.trained),
        covers=len(e.rows & t.rows.keys()) / len(t.rows) if t is not None and t.rows else 0.0,
        mixed=e.mixed,
        later=e.later,
        new_later=e.new_later,
        repeated=e.repeated,
        by_number=len(drawn.intersection(numbers.tolist())),
        numbers=len(numbers),
        labels={name_of(k): n for k, n in e.labels.items()} if classes else {},
        low=e.low if e.labels else math.nan,
        high=e.high if e.labels else math.nan,
        judged=e.judged,
        right=e.right,
        scored=e.scored,
        looks=tuple(e.turns[:200]),
        changed=changed,
        stable=stable,
        clean=clean,
        made=e.made,
        copied=e.copied,
        digest=f"{sum(e.first_rows) % 2**64:x}",
        drawn=min(e.drawn & t.drawn, key=str, default=None) if t is not None else None,
        near=near[0],
        near_of=near[1],
        measure=near[2],
        **part,
        **moment,
    )
