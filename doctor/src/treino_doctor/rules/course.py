"""A training's losses, and the optimizer steps behind them."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from treino_doctor.finding import Site
from treino_doctor.record.log import Backward, Course, Log, LossCall, OptimizerEnded, OptimizerMade, Stepped
from treino_doctor.record.row_log import RowsTrained
from treino_doctor.rules.graphs import bootstraps, calls_by_number
from treino_doctor.rules.rule import by_line, median

LEAST = 12  # minimum number of values that a rule judges
SAME = 0.05  # relative difference allowed between the loss run backward and torch's
ADDED = 0.1  # relative difference of a loss that is scaled or has more in it than torch's
ALIKE = 0.9  # minimum share of the ratios near their median; not measured
AGAIN = 2  # targets per row: each row came about twice
EXPLODES = 10  # a diverging loss is at least this many times the first one; not measured
APART = 4  # times the variance of batches' means that chance gives: rows are sorted by their target
LATER, WIDER = 16, 3  # times the variance of halves' means by chance, and of the targets: they change


@dataclass(frozen=True)
class Training:
    """All losses that one line ran backward in one training, in order.

    constant: the loss of the best constant prediction for all rows, NaN if unknown. calls: recorded calls of
    torch losses behind these values. optimizers: numbers of the optimizers that got gradients from them.
    uneven: batches differ in their targets, as in sorted rows, so that one batch's loss means little.
    whole: the constant's loss is that of all rows, and not an estimate from some. moving: the targets change
    with the nets, as those of reinforcement learning, so that no loss of a constant stands for all of them.
    """

    site: Site | None
    values: tuple[float, ...]
    constant: float
    calls: tuple[LossCall, ...]
    optimizers: frozenset[int]
    adds: float = 1.0  # ratio of the loss that is run backward to torch's
    uneven: bool = False
    whole: bool = True
    moving: bool = False
    turn: int = 0  # backwards before it

    @property
    def known(self) -> bool:
        """Whether the constant prediction's loss is known."""
        return self.constant > 0

    @property
    def unscaled(self) -> bool:
        """Whether torch's loss is run backward as it is: not scaled, nor with much added."""
        return abs(self.adds - 1) < ADDED

    @property
    def floor(self) -> float:
        """A constant's loss; if unknown, the least of the first losses, as random weights predict alike. NaN
        if unknown and batches are uneven, or if targets change."""
        if self.known:
            return self.constant
        return math.nan if self.uneven or self.moving else min((v for v in self.values[:3]), default=math.nan)

    @property
    def head(self) -> int:
        """The number of first losses that are averaged: eight, or a quarter if shorter."""
        return max(1, min(8, len(self.values) // 4))

    @property
    def tail(self) -> int:
        """The number of last losses that are averaged: a quarter, at most 64 of even batches."""
        return max(1, min(len(self.values) if self.uneven else 64, len(self.values) // 4))

    def first(self) -> float:
        """The mean of the first losses."""
        return sum(self.values[: self.head]) / self.head

    def last(self) -> float:
        """The mean of the last losses; not finite if any of them isn't."""
        return sum(self.values[-self.tail :]) / self.tail

    def highest(self) -> float:
        """The largest finite loss."""
        return max((v for v in self.values if math.isfinite(v)), default=math.inf)

    def stuck(self, share: float) -> bool:
        """Whether the last losses are above this share of ``floor``, or not finite."""
        return len(self.values) >= LEAST and self.floor > 0 and not self.last() < share * self.floor

    def rose(self, share: float) -> bool:
        """Whether some loss is above this share of both ``floor`` and the first loss."""
        return self.highest() > share * max(self.floor, self.values[0])

    def exploded(self) -> bool:
        """Whether the last loss is not finite, after the losses grew more than tenfold."""
        finite = [v for v in self.values if math.isfinite(v)]
        if not finite or len(finite) == len(self.values) or math.isfinite(self.values[-1]):
            return False
        return max((abs(v) for v in finite[1:]), default=0.0) > EXPLODES * abs(finite[0])


@dataclass(frozen=True)
class Steps:
    """One optimizer's steps. typical, largest, pull and shrunk describe recorded steps only.

    typical, largest: ‖Δp‖ / ‖p‖ of the median and the largest step, NaN if unknown. pace: the median of
    ‖Δp‖ · ‖g‖, by which one step lowers the loss at most. pull: the median ratio of weight decay to
    gradient. lr: the largest of its groups when made. shrunk: the weights' norm at the newest step over that
    at the first.
    """

    made: OptimizerMade
    end: OptimizerEnded
    lr: float
    weight_decay: float
    typical: float
    largest: float
    pull: float
    shrunk: float
    pace: float


def trainings(log: Log) -> list[Training]:
    """All trainings, the longest first."""
    calls = {c.loss: c for c in log.of(LossCall) if not c.error}
    backwards = by_line(log.of(Backward), lambda b: b.site)
    rows, forwards = {t.net: t for t in log.of(RowsTrained)}, calls_by_number(log)
    learners = {n: rows[f.net] for n, f in forwards.items() if f.net in rows}
    courses = [
        _training(c, [b for b in backwards.get(c.site, []) if c.turn <= b.turn < end], calls, learners)
        for every in by_line(log.of(Course), lambda c: c.site).values()
        for c, end in zip(every, [*(c.turn for c in every[1:]), math.inf], strict=True)
        if c.values
    ]
    return sorted(courses, key=lambda t: -len(t.values))


def judged_losses(log: Log) -> list[LossCall]:
    """The losses of evaluations that are means over known numbers of rows."""
    means = (c for c in log.of(LossCall) if not c.trained and c.reduction == "mean")
    return [c for c in means if c.target_shape[:1] > (0,)]


def training(log: Log) -> Training | None:
    """The longest training that was watched; None if there is none, or if its loss may fall below zero and so
    has no scale."""
    every = trainings(log)
    longest = next((t for t in every if t.calls or t.optimizers), every[0] if every else None)
    if longest is None or not (longest.known or all(v >= 0 or math.isnan(v) for v in longest.values)):
        return None
    return longest


def _training(
    course: Course, ran: list[Backward], calls: dict[int, LossCall], learners: dict[int, RowsTrained]
) -> Training:
    own = [(b.value, [calls[n] for n in b.losses if n in calls]) for b in ran if math.isfinite(b.value)]
    own = [(v, used) for v, used in own if used]
    every = [c for _, used in own for c in used]
    shares = [v / total for v, used in own if (total := sum(c.value for c in used)) > 0]
    adds, constant = (median(shares), math.nan) if shares else (1.0, math.nan)
    near = sum(abs(s - adds) <= SAME * abs(adds) for s in shares)
    # The program runs the sum of torch's losses backward throughout, up to one factor.
    fits = bool(shares) and 2 * len(own) > len(ran) and near >= ALIKE * len(shares)
    uneven, whole = False, True
    moving = any(c.bootstrapped for c in every) or any(bootstraps(b.graph) for b in ran if not b.losses)
    if fits and not moving:
        most = max(len(used) for _, used in own)  # losses of one backward: usually there is one
        groups = [[used[i] for _, used in own if i < len(used)] for i in range(most)]
        trained = next((learners[n] for c in every for n in reversed(c.forwards) if n in learners), None)
        whole = len(own) == len(course.values) or all(_covers(group, trained) for group in groups)
        constant = adds * sum(constant_of(group, trained, whole=whole) for group in groups)
        uneven, moving = any(map(apart, groups)), any(map(drifts, groups))
        moving = moving and not (trained is not None and trained.again and not trained.other)
        constant = math.nan if moving else constant
    constant = course.constant if course.constant > 0 else constant
    optimizers = frozenset(n for b in ran for n in b.filled)
    known = course.site, course.values, constant, tuple(every), optimizers
    return Training(*known, adds, uneven, whole, moving, turn=course.turn)


def constant_of(calls: list[LossCall], trained: RowsTrained | None = None, *, whole: bool = True) -> float:
    """The mean loss of the best constant prediction for the targets of all these calls; NaN if unknown.

    trained: the rows of the training, whose labels were counted over an epoch if a loader returned them.
    whole: these are the targets of all rows; else the loss for all rows is estimated.
    """
    if not whole and apart(calls):
        return math.nan  # these batches are not like the others
    one = calls[0]
    labels = counted(calls, "labels")
    if labels and trained is not None:
        labels = _of_epoch(trained, labels)
    rows = sum(labels.values())
    if rows and len(labels) > 1:
        weights = {k: one.weights[k] if k < len(one.weights) else 1.0 for k in labels}
        if one.name.startswith("binary"):
            weights = {0: 1.0, 1: one.weights[0] if len(one.weights) == 1 else 1.0}
        heavy = {k: n * weights[k] for k, n in labels.items()}
        total = sum(heavy.values())
        if total <= 0:
            return math.nan
        shares = [h / total for h in heavy.values() if h > 0]
        if one.smoothing and len(one.input_shape) > 1:
            classes = one.input_shape[1]
            shares = [(1 - one.smoothing) * s + one.smoothing / classes for s in shares]
            shares += [one.smoothing / classes] * (classes - len(shares))
        loss = -sum(s * math.log(s) for s in shares if s > 0)
        if not whole and not one.weights:  # few labels underestimate the entropy: Miller's correction
            loss += (len(labels) - 1) / (2 * rows)
        # Binary losses divide by the number of rows, class losses by the sum of the rows' weights.
        loss *= total / rows if one.name.startswith("binary") else 1.0
        mean_rows = sum(sum(c.labels.values()) for c in calls) / len(calls)
        return loss * (mean_rows if one.reduction == "sum" else 1.0)
    if rows:
        return math.nan  # with a single class, a constant prediction is always right
    numeric = [c for c in calls if c.means and len(c.means) == len(one.means)]
    seen = sum(c.target_shape[0] for c in numeric)
    if 2 * len(numeric) < len(calls) or one.reduction == "none" or seen < 2:
        return math.nan
    within, between = _variances(numeric)
    loss = within + between
    if one.name != "mse_loss" or math.prod(one.target_shape[1:]) > len(one.means):
        known = [c for c in numeric if c.constant > 0]
        weight = sum(c.target_shape[0] for c in known)
        if not weight or within <= 0:
            return math.nan
        power = 0.5 if one.name == "l1_loss" else 1.0
        loss = sum(c.constant * c.target_shape[0] for c in known) / weight * (loss / within) ** power
    return loss * (math.prod(one.target_shape) if one.reduction == "sum" else 1)


def _covers(calls: list[LossCall], trained: RowsTrained | None) -> bool:
    """Whether the targets of all rows are known: from an epoch's labels, or since most rows were repeated."""
    labels = counted(calls, "labels")
    rows = sum(labels.values()) or sum(c.target_shape[0] for c in calls if c.target_shape)
    if trained is None:
        return False
    return rows >= AGAIN * trained.rows or (bool(labels) and _of_epoch(trained, labels) is not labels)


def _of_epoch(trained: RowsTrained, labels: dict[int, int]) -> dict[int, int]:
    """The label counts of the first epoch, if they have the same classes and cover more rows, or all rows,
    each of which came once; else ``labels``."""
    epoch = {int(k): n for k, n in trained.labels.items() if re.fullmatch(r"-?[0-9]{1,18}", k)}
    rows = sum(epoch.values()) if len(epoch) == len(trained.labels) else 0
    more = rows > sum(labels.values()) or rows == trained.rows == trained.seen
    return epoch if more and labels.keys() == epoch.keys() else labels


def _variances(calls: list[LossCall]) -> tuple[float, float]:
    """(within, between): the mean variance of numeric targets within batches, and of the batches' means."""
    weights = [c.target_shape[0] for c in calls]
    rows, columns = sum(weights), len(calls[0].means)
    within = sum(w * c.spread for w, c in zip(weights, calls, strict=True)) / rows
    between = 0.0
    for column in zip(*(c.means for c in calls), strict=True):
        middle = sum(w * m for w, m in zip(weights, column, strict=True)) / rows
        between += sum(w * (m - middle) ** 2 for w, m in zip(weights, column, strict=True)) / rows / columns
    return within, between


def apart(calls: list[LossCall]) -> bool:
    """Whether the targets of batches differ more from one another than by chance."""
    if calls[0].labels:
        rows = [sum(c.labels.values()) for c in calls]
        shares = {k: n / sum(rows) for k, n in counted(calls, "labels").items()}
        within = sum(s * (1 - s) for s in shares.values())
        pairs = [(c.labels, n) for c, n in zip(calls, rows, strict=True) if n]
        moved = (n * sum((of.get(k, 0) / n - s) ** 2 for k, s in shares.items()) for of, n in pairs)
        between = sum(moved) / sum(rows)
        return len(calls) >= LEAST and between * sum(rows) > APART * within * len(calls)
    numeric = [c for c in calls if c.means and len(c.means) == len(calls[0].means)]
    if len(numeric) < LEAST:
        return False
    within, between = _variances(numeric)
    mean_rows = sum(c.target_shape[0] for c in numeric) / len(numeric)
    return mean_rows > 1 and between * mean_rows > APART * within


def drifts(calls: list[LossCall]) -> bool:
    """Whether later numeric targets are others than the first, beyond chance, as where NumPy makes them from
    a net's answers."""
    numeric = [c for c in calls if c.means and len(c.means) == len(calls[0].means)]
    if len(numeric) < LEAST:
        return False
    halves = numeric[: len(numeric) // 2], numeric[len(numeric) // 2 :]
    (one, first), (other, second), whole = *map(_variances, halves), sum(_variances(numeric))
    rows = sum(c.target_shape[0] for c in numeric)
    low, high = sorted((one + first, other + second))
    chance = max((one + other) / rows, (first + second) / len(numeric)) / 2
    return high > WIDER * low or whole - (low + high) / 2 > LATER * chance


def counted(calls: list[LossCall], name: str) -> dict[int, int]:
    """Sum a table of counts (``labels``, ``right``) over calls."""
    total: dict[int, int] = {}
    for c in calls:
        for k, n in getattr(c, name).items():
            total[k] = total.get(k, 0) + n
    return total


def optimizers(log: Log, setting: str, least: int) -> Iterator[tuple[Training, Steps]]:
    """The training, with each of its optimizers that took so many steps, in the order in which they were
    made; none if a study tried values of this setting."""
    loss = training(log)
    if loss is None or studied(log, setting):
        return
    ended = {e.optimizer: e for e in log.of(OptimizerEnded)}
    stepped = by_line(log.of(Stepped), lambda s: s.optimizer)
    left = set(loss.optimizers)
    for made in log.of(OptimizerMade):
        own, end = stepped.get(made.optimizer, []), ended.get(made.optimizer)
        if not own or end is None or end.steps < least or made.optimizer not in left:
            continue
        left.remove(made.optimizer)
        norms = [s.norm for s in own if s.norm > 0]
        rates = [g.lr for g in made.groups if math.isfinite(g.lr)]
        ratios = [s.ratio for s in own if math.isfinite(s.ratio)]
        paces = [p for s in own if math.isfinite(p := s.ratio * s.norm * s.force)]
        pulls = [s.decay for s in own if math.isfinite(s.decay)]
        lr, decay = max(rates, default=math.nan), max((g.weight_decay for g in made.groups), default=0.0)
        typical, largest = median(ratios or [math.nan]), max(ratios, default=math.nan)
        pull, pace = median(pulls or [0.0]), median(paces or [math.nan])
        shrunk = norms[-1] / norms[0] if norms else 1.0
        yield loss, Steps(made, end, lr, decay, typical, largest, pull, shrunk, pace)


def studied(log: Log, setting: str) -> bool:
    """Whether a study ran: one line made optimizers with different values of a setting (``lr``,
    ``weight_decay``), each after the steps of the previous one.
    """
    stepped = {s.optimizer for s in log.of(Stepped)}
    made = {o.optimizer: o for o in reversed(log.of(OptimizerMade)) if o.optimizer in stepped and o.groups}
    for every in by_line(reversed(made.values()), lambda o: (o.site, o.kind)).values():
        apart = all(b.step > a.step for a, b in pairwise(every))
        if apart and len({getattr(m.groups[0], setting) for m in every}) > 1:
            return True
    return False
