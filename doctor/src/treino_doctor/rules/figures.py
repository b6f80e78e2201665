"""Summarise a training: its first and last loss, and whether its newest evaluation is at chance."""

import math
from pathlib import Path

from treino_doctor.record.log import Log
from treino_doctor.record.row_log import Evaluated
from treino_doctor.rules.course import trainings
from treino_doctor.words import _, numeral

NOISE = 3  # standard deviations within which an accuracy counts as chance
HARDLY = 0.95  # times the loss of a constant prediction: hardly better
SCALED = 128  # times torch's loss that is run backward, as with a GradScaler
FEW = 20  # rows of an evaluation, and rows for each class; with fewer, chance says nothing
MOST = 3  # losses that are told of
LATE = 0.5  # share of the steps after which an evaluation describes the trained net


def summary(log: Log) -> list[str]:
    """Sentences about each loss at first and at last, a constant's loss, and an evaluation at chance."""
    sentences: list[str] = []
    courses = [t for t in trainings(log) if len(t.values) > 1]
    for loss in courses[:MOST]:
        sentence = _(
            "The loss was {first} on average over the first {n} of {count} backward passes, and {last} over "
            "the last {m}."
        )
        if len(courses) > 1 and loss.site is not None:
            sentence = _(
                "The loss of line {line} was {first} on average over the first {n} of {count} backward "
                "passes (from number {start} on), and {last} over the last {m}."
            )
        scale = loss.adds if loss.adds >= SCALED else 1.0
        first, last = numeral(loss.first() / scale, ".4g"), numeral(loss.last() / scale, ".4g")
        counts = {"n": loss.head, "m": loss.tail, "count": len(loss.values), "start": loss.turn + 1}
        line = loss.site.line if loss.site is not None else 0
        sentences.append(sentence.format(first=first, last=last, line=line, **counts))
        if loss.known and loss.whole and loss.stuck(HARDLY):
            sentence = _("One answer for all rows would get {constant}.")
            sentences.append(sentence.format(constant=numeral(loss.constant / scale, ".4g")))
    newest = evaluation(log)
    if newest is not None and at_chance(newest) and newest.site is not None:
        sentence = _(
            "After {step} of {steps} steps, {right} of the {rows} rows evaluated at {file}, line {line}, "
            "were right; the commonest class alone is {chance} of them."
        )
        place = {"file": Path(newest.site.file).name, "line": newest.site.line, "rows": newest.rows}
        shares = {"right": right(newest), "chance": commonest(newest)}
        texts = {name: numeral(share, ".1%") for name, share in shares.items()}
        sentences.append(sentence.format(step=newest.step, steps=steps(log), **place, **texts))
    return sentences


def evaluation(log: Log) -> Evaluated | None:
    """The newest whole evaluation of a trained net that compared each row's class with a label; None if there
    is none, or if the net was trained for long after it.
    """
    whole = [e for e in log.of(Evaluated) if e.learned and e.judged == e.rows and len(e.labels) > 1]
    whole = [e for e in whole if e.rows >= FEW * len(e.labels) and e.step >= LATE * steps(log)]
    return max(whole, key=lambda e: (e.turn, e.newest), default=None)


def steps(log: Log) -> int:
    """The number of steps of all optimizers."""
    return max((s.step for s in log.events), default=0)


def right(e: Evaluated) -> float:
    """The share of an evaluation's rows whose predictions are right."""
    return e.right / e.rows


def commonest(e: Evaluated) -> float:
    """The share of an evaluation's most common class."""
    return max(e.labels.values()) / e.rows


def at_chance(e: Evaluated) -> bool:
    """Whether the accuracy is no better than that of one class for all rows, given their number."""
    chance = commonest(e)
    return right(e) <= chance + NOISE * math.sqrt(chance * (1 - chance) / e.rows)
