"""Summarise a training: its first and last loss, and whether its predictions are at chance."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from treino_doctor.record.log import Graph, Log, LossCall, Operation, Read
from treino_doctor.rules.course import counted, trainings
from treino_doctor.words import _, numeral

NOISE = 3  # standard deviations within which an accuracy counts as chance
HARDLY = 0.95  # times the loss of a constant prediction: hardly better
SCALED = 128  # times torch's loss that is run backward, as with a GradScaler
NEWEST = 16  # newest calls of the loss, for the accuracy in training
REDUCED = ("mean", "sum", "count_nonzero", "div", "mul", "to")


@dataclass(frozen=True)
class Share:
    """An accuracy. chance: the accuracy of one prediction for all rows, or of guessing."""

    right: float
    chance: float
    rows: int

    @property
    def at_chance(self) -> bool:
        """Whether the accuracy is no better than chance, given the number of rows."""
        spread = math.sqrt(self.chance * (1 - self.chance) / max(1, self.rows))
        return self.right <= self.chance + NOISE * spread


def summary(log: Log) -> list[str]:
    """Sentences about the first and last loss, a constant's loss, and an accuracy at chance."""
    sentences: list[str] = []
    loss = next(iter(trainings(log)), None)
    if loss is not None and len(loss.values) > 1:
        sentence = _("The loss was {first} at first and {last} at the end of {count} backwards.")
        scale = loss.adds if loss.adds >= SCALED else 1.0
        first, last = numeral(loss.first() / scale, ".4g"), numeral(loss.last() / scale, ".4g")
        sentences.append(sentence.format(first=first, last=last, count=len(loss.values)))
        if loss.known and loss.stuck(HARDLY):
            sentence = _("One answer for all rows would get {constant}.")
            sentences.append(sentence.format(constant=numeral(loss.constant / scale, ".4g")))
    own = read_share(log)
    share = own or trained_share(log)
    if share is not None and share.at_chance:
        sentence = _("{right} of the newest answers in training are right; chance gets {chance}.")
        if own is not None:
            sentence = _("{right} of the answers that were counted last are right; chance gets {chance}.")
        right, chance = numeral(share.right, ".1%"), numeral(share.chance, ".1%")
        sentences.append(sentence.format(right=right, chance=chance))
    return sentences


def read_share(log: Log) -> Share | None:
    """The last accuracy that the program read, over all its batches; None if none is known."""
    reads = [(r, counted) for r in log.of(Read) if (counted := _compared(r)) is not None]
    if not reads:
        return None
    last = reads[-1][0]
    own = [(r, c) for r, c in reads if (r.site, r.step, r.how) == (last.site, last.step, last.how)]
    rows = sum(n for _r, (n, _classes, _kind) in own)
    right = sum(r.value * (n if kind == "mean" else 1) for r, (n, _classes, kind) in own) / max(1, rows)
    classes = max(c for _r, (_n, c, _kind) in own)
    if not rows or not 0 <= right <= 1 or classes < 2:
        return None
    judged = [c for c in log.of(LossCall) if c.labels and not c.trained and c.step == last.step]
    return Share(right, max(1 / classes, common(judged) if judged else 0.0), rows)


def trained_share(log: Log) -> Share | None:
    """The accuracy in the newest calls of the loss that trains."""
    calls = [c for c in log.of(LossCall) if c.trained and c.labels][-NEWEST:]
    rows = sum(sum(c.labels.values()) for c in calls)
    if not rows:
        return None
    return Share(sum(sum(c.right.values()) for c in calls) / rows, common(calls), rows)


def common(calls: list[LossCall]) -> float:
    """The share of the most common class."""
    labels = counted(calls, "labels")
    return max(labels.values()) / sum(labels.values())


def _compared(event: Read) -> tuple[int, int, str] | None:
    """(rows, classes, "mean" or "sum") of a number that counts a net's right classes; else None."""
    if not math.isfinite(event.value) or event.graph.root is None:
        return None
    way = list(_way(event.graph))
    end = way[-1]
    if end.name != "eq":
        return None
    classes = 0
    for one in event.graph.walk(end):
        if one.name in ("argmax", "max") and one.forwards:
            classes = max([classes, *(dropped(p.shape, one.shape) for p in event.graph.parents(one))])
        elif one.name in ("gt", "ge", "round") and one.forwards:
            classes = max(classes, 2)
    kind = "mean" if any(o.name == "mean" for o in way) else "sum"
    return math.prod(end.shape), classes, kind


def dropped(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """The size of the axis along which a maximum was taken; 0 if there is no single such axis."""
    return next((n for i, n in enumerate(before) if before[:i] + before[i + 1 :] == after), 0)


def _way(graph: Graph) -> Iterator[Operation]:
    """Walk from a number through sums and means to the comparison behind it."""
    one = graph.root
    while one is not None:
        yield one
        if one.name not in REDUCED:
            return
        one = next(iter(graph.parents(one)), None)
