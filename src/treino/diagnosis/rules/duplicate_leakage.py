"""Copies of rows on both sides of a split."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.copies import moved_join, noisy_join
from treino.diagnosis.reading.multiplied import multiplied_before
from treino.diagnosis.reading.names import names_of_evaluation, says_train
from treino.diagnosis.reading.overlap_lines import drawn_apart, parts_rows
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.rules.nearness import (
    between_rows,
    moved_copies,
    near_copies,
    of_groups,
    shaken_copies,
    shifted_windows,
)
from treino.diagnosis.rules.overlap import overlaps
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import WIDE, DataSeen, TrainSeen, chance
from treino.words import N_, _

TRAINED = N_("were trained on before they were evaluated (the table holds copies)")
NEAR = N_("are nearly one with training rows (the table holds copies)")
MOVED = N_("are made of training rows' numbers (the table holds copies)")
ALONE = N_("are nearly one with a few training rows, as if they were of one film, person or place")
WINDOWS = N_("hold at least half of a training row: windows of one series, which overlap")
# What is measured, in which share of the rows it must be, the line that tells of it, and its words.
MEASURES = (
    (near_copies, 0.15, noisy_join, NEAR),
    (moved_copies, 0.15, moved_join, MOVED),
    (shaken_copies, 0.15, noisy_join, NEAR),
    (between_rows, 0.05, moved_join, MOVED),
    (of_groups, 0.8, drawn_apart, ALONE),
    (shifted_windows, 0.8, drawn_apart, WINDOWS),
)


def decide(seen: Seen) -> Iterable[Evidence]:
    """Rows of an evaluation that calls itself a test had been trained on; the table holds copies, more
    than chance allows. Or it was multiplied before both parts were taken from it. Or many of the rows lie far
    nearer to training rows than rows usually do, or hold their very numbers in another order, and the table
    was joined with such copies of its rows. Or most of them are nearly one with a few training rows, or are
    windows of one series with these, and were parted from them at random.
    """
    for o in overlaps(seen):
        if o.copies:
            shared = o.evidence()
            yield replace(shared, numbers=shared.numbers | {"what": _(TRAINED)})
            return
    data: DataSeen | None = seen.data
    for key, e in data.evals.items() if data is not None else ():
        train = data.trains.get(key[0]) if data is not None else None
        if data is None or train is None or not e.names:
            continue
        some = len(e.trained_before) > 0.02 * len(e.rows)
        found = _copied(train, e) if not some or e.mixed else None
        found = _repeated(data, train, e) if some and found is None else found
        if found is not None:
            yield found
            return


def _copied(train: TrainSeen, e: EvalSeen) -> Evidence | None:
    """Copies with noise, or moved ones, or rows between two others; none of what is learned from later, as
    the states that an agent comes by are.
    """
    if len(e.new & train.rows.keys()) > 0.1 * len(e.new) or not parts_rows(e.names[0].file):
        return None
    for measure, share, join, what in MEASURES:
        near, rows = measure(train, e)
        place = join(e) if near > max(5, share * rows) else None
        if place is not None:
            return Evidence(place, e.names[0], numbers(rows, near, what))
    return None


def _repeated(data: DataSeen, train: TrainSeen, e: EvalSeen) -> Evidence | None:
    """Exact copies, whatever the evaluation calls itself: where there is none of new rows."""
    trained, rows = len(e.trained_before), len(e.rows)
    others = (o for o in data.evals.values() if o.net is e.net and len(o.rows) >= 10)
    if trained < 0.2 * rows or rows < 10 or any(len(o.trained_before) < 0.02 * len(o.rows) for o in others):
        return None
    copies = train.twice > 0.01 * max(1, train.first_epoch)
    sparse = chance(train) > 0.01  # as far as its first columns tell
    if not copies or (sparse and chance(train, WIDE) > 0.2 * trained / rows) or train.adversarial:
        return None
    if says_train(names_of_evaluation(e.names, e.spots)):
        return None
    tokens = not train.floating  # short texts repeat themselves, so that only the source tells of copies
    place = multiplied_before(train, e, made=sparse or tokens, drawn=tokens)
    return Evidence(place, e.names[0], numbers(rows, trained)) if place is not None else None


def numbers(rows: int, trained: int, what: str = TRAINED) -> dict[str, Any]:
    """What the rule's words are filled in with."""
    return {"rows": rows, "trained": trained, "share": trained / rows, "what": _(what)}


RULE = Rule(
    id="duplicate_leakage",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    unless=("test_in_train",),
    message=N_("{trained} of {rows} evaluation rows {what}."),
    why=N_(
        "The same row lies on both sides of the split, so that the net is asked what it was told. "
        "Oversampling or joining tables before splitting does this, and so does a random split of rows that "
        "belong together; the figure is too good."
    ),
    fix=N_(
        "Drop duplicates before splitting, and oversample the training part only; split what belongs "
        "together by its group, and a series by its time."
    ),
    wrong="""\
x, y = torch.cat([x, x[:120]]), torch.cat([y, y[:120]])
order = torch.randperm(360)
train, test = order[:270], order[270:]
x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
    cost=N_("hashes the rows that enter nets"),
)
