"""New rows on another scale than those of the training."""

from treino_doctor.base.words import numeral
from treino_doctor.record.log import Log, LossCall
from treino_doctor.record.row_log import Evaluated, RowsEvaluated, RowsTrained
from treino_doctor.rules.course import training
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Rule

LEAST = 20  # minimum number of new rows
AWAY = 0.5  # share of the columns that lie elsewhere
LEARNED = 0.7  # times a constant's loss: the training learned something
KEPT = 0.5  # of the training's gain over chance, on new rows. All are chosen


def decide(log: Log) -> Faults:
    """Most columns of new rows lie elsewhere than those of training, and a net that learned does no better
    there than one answer for all rows."""
    course, trained = training(log), {t.net: t for t in log.of(RowsTrained)}
    if course is None or not course.known or course.stuck(LEARNED):
        return
    for e in log.of(RowsEvaluated):
        t = trained.get(e.learner)
        if t is None or e.made or t.made or not t.floating or e.trained or e.rows < LEAST or e.away < AWAY:
            continue
        if is_lost(log, e, course.constant):
            numbers = {"rows": e.rows, "away": numeral(e.away, ".0%")}
            yield Evidence(e.site, numbers, stack=e.stack)
            return


def is_lost(log: Log, e: RowsEvaluated, constant: float) -> bool:
    """Whether the newest answers to these rows are no better than one answer for all."""
    looks = [o for o in log.of(Evaluated) if (o.net, o.stack) == (e.net, e.stack) and o.judged == o.rows]
    if looks and len(looks[-1].labels) > 1:
        newest = looks[-1]
        common = max(newest.labels.values()) / newest.rows
        return newest.right / newest.rows <= common + (1 - KEPT) * (1 - common)
    calls = calls_by_number(log)
    means = [c for c in log.of(LossCall) if not c.trained and c.reduction == "mean"]
    pairs = ((c.value, calls.get(max(c.forwards, default=0))) for c in means)
    own = [value for value, f in pairs if f is not None and (f.net, f.stack) == (e.net, e.stack)]
    return bool(own) and own[-1] > constant


RULE = Rule(
    group="data",
    certain=False,
    message="""The {rows} new rows judged here lie on another scale than the training's: {away} of the
    columns are three deviations away, or three times as wide or narrow. The answers are no better than one
    for all.""",
    why="""The network only knows rows as it was given them in training. Standardised there and raw here, or
    in another unit, they mean nothing to it, and the figure says nothing of what it has learned.""",
    fix="""Prepare new rows by the same steps, with the mean and deviation of the training rows; best in one
    function or in the data set, which both parts use.""",
    safety="Safe: the figure then is that of the network.",
    limits="""Told where the training learned and new rows' answers are hardly better than a constant; rows of
    another place or time may lie elsewhere by nature.""",
    wrong="x = 20 + 5 * x\n" + SPLIT + "x_train = (x_train - x_train.mean(0)) / x_train.std(0)\n" + HELD_OUT,
    mend={
        "x_train = (x_train - x_train.mean(0)) / x_train.std(0)\n": """\
mean, std = x_train.mean(0), x_train.std(0)
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
"""
    },
)
