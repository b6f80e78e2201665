"""The stretches of a run's training, on every way that it has gone: what its page lists to go back to,
and the losses of ways that were left."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from treino.folders import StoredRun, epoch_count, path, segments_of
from treino_studio.run_state import ThinnedLosses, change_texts, finite

FIGURES = ("loss", "accuracy", "rmse")  # of validation rows, measured last in a stretch

Known = dict[int, int]


def history(run: StoredRun, last: int | None, known: Known) -> list[dict[str, Any]]:
    """All stretches between two changes of settings, or between a change and where another way begins:
    ``[{segment, first, last, text, figures, measured, left}]``. measured: the step of the figures, of
    which there are none if none were measured in this stretch. left: it is no part of the run's newest way.

    run: to its newest segment, whose last step is ``last``; None: the last recorded one. known: the last
    steps of segments that are over, from earlier calls.
    """
    segments, database = segments_of(run.spec), run.folder.database
    timeline, newest = run.timeline, segments[-1].number
    stops = {stretch.segment.number: stretch.stop for stretch in path(run.spec)}
    forks = defaultdict[int, set[int]](set)
    for segment in segments[1:]:
        number, step = segment.origin or (0, 0)
        forks[number].add(step)
    listed = []
    for segment in segments:
        number, start = segment.number, segment.start
        if number == newest and last is not None:
            end = max(start, last)
        else:
            end = known.get(number) or start + database.loss_count(number)
        if number != newest:
            known[number] = end
        changes = [c for c in timeline.changes(number) if start <= c.step <= end and c.settings]
        places = change_texts([change._replace(segment=number) for change in changes])
        texts = {step: text for (_number, step), text in places.items()}
        if end == start and number != newest:
            continue
        first = {start, *texts, *forks[number]}
        starts = sorted(step for step in first if step < end or step == start or number == newest)
        count, stop = epoch_count(run.spec, number), stops.get(number, start)
        for at, until in zip(starts, [*starts[1:], end], strict=True):
            rows = database.last_epoch(number, "validation", count.ended(until))
            found = {row.metric: finite(row.value) for row in rows}
            measured = count.end_of(rows[0].epoch) if rows else -1
            here = measured > at or measured == at == 0
            figures = {name: found[name] for name in FIGURES if name in found and here}
            left = stop is not None and at >= stop
            listed.append(
                {"segment": number, "first": at, "last": until, "text": texts.get(at, "")}
                | {"figures": figures, "measured": measured if here else None, "left": left}
            )
    return listed


def left_losses(run: StoredRun, told: set[int]) -> Iterator[dict[str, Any]]:
    """The losses of each way that the run has left since it last began anew, once, as curves of their own.
    told: the segments whose losses are sent."""
    segments, stops = segments_of(run.spec), {s.segment.number: s.stop for s in path(run.spec)}
    begun = max(k for k, segment in enumerate(segments) if segment.origin is None or segment.origin[1] == 0)
    for segment in segments[begun:-1]:
        number, database = segment.number, run.folder.database
        stop = stops.get(number, segment.start)
        if number in told or (stop is not None and stop >= segment.start + database.loss_count(number)):
            continue
        told.add(number)
        loss_S = np.asarray(database.losses(number))
        if points := ThinnedLosses().more(loss_S):
            points["step"] = [segment.start + step for step in points["step"]]
            yield {"run": f"{run.name}/{number}", "left": number, **points}
