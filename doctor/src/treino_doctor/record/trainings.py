"""Calls of nets: the rows that each net was trained on, and those of its evaluations."""

import math
from collections import Counter
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.lines import here
from treino_doctor.record.loaders import Reading
from treino_doctor.record.log import Forward
from treino_doctor.record.tables import Columns, RowSample, class_by_class
from treino_doctor.record.values import Node

MOST = 50_000  # maximum number of rows remembered
LOOKS = 500  # maximum number of looks of an evaluation
Met = tuple[np.ndarray, np.ndarray, Site | None]  # answers, labels, the line of their loader or comparison
SAMPLE, EVALUATED = 2000, 1000  # maximum number of rows of a training, and of an evaluation, kept whole


class Call:
    """One call of a net: its rows, and what is known about them."""

    def __init__(self, event: Forward, flat: np.ndarray, hashes: np.ndarray) -> None:
        self.event, self.flat, self.hashes = event, flat, hashes
        self.labels: np.ndarray | None = None
        self.right = self.judged = 0
        self.met: Met | None = None  # the only answers that were compared with labels
        self.scored = self.copied = self.made = False
        self.given: np.ndarray | None = None  # the labels that the loader returned
        self.kept = False  # whether the call was compared with these labels
        self.relabelled = False  # whether the loss got other labels than the loader's
        self.reading: Reading | None = None
        self.drawn: set[Site] = set()
        self.node: Node | None = None

    def judge(self, answers: np.ndarray, labels: np.ndarray) -> None:
        """Compare the call's predictions with their labels."""
        self.judged, self.right = len(labels), int((answers == labels).sum())
        self.met = answers, labels, self.reading.site if self.reading is not None else here()


class Training:
    """The rows that one net was trained on."""

    def __init__(self, net: int, shape: Any) -> None:
        self.net, self.shape, self.restarts = net, shape, 0
        self.rows: dict[int, float] = {}  # hash -> first label, or NaN
        self.newest = set[int]()  # rows of its newest batch
        self.seen = self.twice = self.calls = self.again = self.other = self.right = self.judged = 0
        self.first = self.last = -1
        self.passed = 0  # calls of which no rows are kept
        self.done = self.reset = self.made = False
        self.floating = True
        self.site: Site | None = None
        self.stack: tuple[Site, ...] = ()
        self.loader: Site | None = None
        self.epoch = -1
        self.columns, self.sample = Columns(), RowSample(SAMPLE)
        self.flat = True
        self.labels, self.later = Counter[float](), Counter[float]()
        self.labelled = self.relabelled = False
        self.entering = math.nan
        self.numbers: dict[int, set[int]] = {}  # data set -> row numbers that were drawn
        self._origins, self.drawn = set[int](), set[Site]()
        self.draws = False

    def anew(self) -> None:
        """Start over, because the weights were initialised again."""
        restarts = self.restarts + 1
        self.__init__(self.net, self.shape)  # type: ignore[misc]
        self.restarts = restarts

    def add(self, call: Call) -> bool:
        """Add a training call; return whether the first epoch ended with it."""
        if self.reset:
            self.anew()
        turn = call.event.turn
        self.calls += 1
        self.last, self.first = turn, self.first if self.first >= 0 else turn
        if call.event.forward >= 0:
            self.site, self.stack = call.event.site, call.event.stack
        self.made |= call.made
        self.drawn |= call.drawn
        self.judged, self.right = self.judged + call.judged, self.right + call.right
        if call.reading is not None:
            self._note_numbers(call.reading)
        self.relabelled |= call.relabelled
        if self.relabelled and call.event.forward < 0:
            call.labels = None  # between windows only the loader's labels are available
        hashes = call.hashes.tolist()
        labels = call.labels.tolist() if call.labels is not None else [math.nan] * len(hashes)
        known = [self.rows.get(h) for h in hashes]
        fresh = [i for i, old in enumerate(known) if old is None]
        epoch = call.reading.epoch if call.reading is not None else 0
        if self.epoch < 1:  # the loader of the first batch may be unknown
            self.epoch = epoch
        over = epoch > self.epoch if epoch else len(fresh) < 0.5 * len(known)
        ended = not self.done and (over or len(self.rows) >= MOST)
        self.done |= ended
        if len(self.rows) < MOST and fresh:
            self._keep(call, fresh)
        batch: set[int] = set()
        for h, label, before in zip(hashes, labels, known, strict=True):
            if h in batch:
                continue
            batch.add(h)
            if before is None or not math.isfinite(before):
                self.rows[h] = label
            elif math.isfinite(label):
                self.again += 1
                self.other += before != label
                self.later[label] += 1
        self.newest = batch
        self.twice += 0 if over else len(hashes) - len({hashes[i] for i in fresh})
        self.labelled |= call.labels is not None and bool(np.isfinite(call.labels).all())
        self.seen += 0 if over else len(hashes)
        return ended

    def _keep(self, call: Call, fresh: list[int]) -> None:
        """Update the statistics and the sample with new rows."""
        self.columns.add(call.flat[fresh])
        labels = call.labels[fresh] if call.labels is not None else np.full(len(fresh), math.nan)
        self.flat &= len(call.event.shape) == 2
        self.sample.add(call.flat[fresh])
        self.labels.update(labels[np.isfinite(labels)].tolist())

    def _note_numbers(self, reading: Reading) -> None:
        """Note the row numbers that the loader draws from its data set."""
        self.loader, origin = reading.site, reading.origin
        self.draws |= reading.draws
        if origin is None:
            return
        drawn = self.numbers.setdefault(origin.root, set())
        if id(origin) not in self._origins and origin.size <= MOST:
            self._origins.add(id(origin))
            drawn |= set(origin.all().tolist())


class Look:
    """One pass over rows at one place, between two turns of training; what it counts is named as the fields
    of the event ``Evaluated`` are. met: what each call of the newest look was compared with."""

    def __init__(self, step: int, turn: int) -> None:
        self.step, self.turn = step, turn
        self.rows = self.digest = self.label_digest = self.right = self.judged = self.calls = self.newest = 0
        self.any_order, self.shapes = 0, set[tuple[int, ...]]()  # a digest whatever the rows' order; of rows
        self.most = self.final = 0
        self.shares = self.chained = 0.0
        self.met: list[Met | None] = []
        self.labels: Counter[float] = Counter()
        self.labelled = True
        self.blocks = False  # whether labels are sorted by class for any rows, as in few-shot tasks

    def add(self, call: Any) -> None:
        """Add a call."""
        place = np.uint64(2 * self.rows + 1)
        self.digest = (self.digest + int((call.hashes * place).sum())) % 2**64
        self.any_order = (self.any_order + int(call.hashes.sum())) % 2**64
        self.shapes.add(call.event.shape[1:])
        self.met.append(call.met)
        self.rows += len(call.flat)
        self.right, self.judged = self.right + call.right, self.judged + call.judged
        self.calls, self.newest = self.calls + 1, call.event.forward
        share = call.right / len(call.flat)
        self.shares, self.chained = self.shares + share, (self.chained + share) / self.calls
        self.most, self.final = max(self.most, len(call.flat)), call.right
        self.labelled &= call.labels is not None
        if call.labels is not None:
            self.labels.update(call.labels.tolist())
            self.blocks |= class_by_class(call.labels)
            self.label_digest = (self.label_digest * 31 + hash(call.labels.tobytes())) % 2**64


class Evaluation:
    """The evaluation calls of one net at one place, with the rows of one loader."""

    def __init__(self, event: Any, reading: Any) -> None:
        self.net, self.site, self.stack, self.reading = event.net, event.site, event.stack, reading
        self.loader = reading.site if reading is not None else None
        self.look: Look | None = None
        self.turns, self.looks = list[int](), list[Look]()
        self.rows, self.trained, self.fresh = set[int](), set[int](), set[int]()
        self.later = self.new_later = self.mixed = self.repeated = self.right = self.judged = self.seen = 0
        self.given = self.stepped = 0
        self.labels, self.drawn = Counter[float](), set[Any]()
        self.columns, self.sample = Columns(), RowSample(EVALUATED)
        self.scored = self.made = self.copied = False
        self.base: Look | None = None  # the first look after the net has learned
        self.learned = False
        self.first_rows: set[int] = set()  # rows of the first look
        self._restarts = 0  # restarts of the training that the rows were compared with

    def _begin(self) -> None:
        """Reset the counts that describe a single look."""
        self.trained, self.first_rows, self.labels = set(), set(), Counter()
        self.seen = self.repeated = self.mixed = self.later = self.new_later = 0

    def add(self, call: Any, training: Any) -> None:
        """Add a call and compare its rows with the rows trained on so far."""
        turn = call.event.turn
        if training is not None and training.restarts != self._restarts:  # they were rows of earlier folds
            self._restarts, self.base, self.learned = training.restarts, None, False
            self.rows, self.fresh = set(), set()
            self.columns, self.sample = Columns(), RowSample(EVALUATED)
        if self.look is None or self.look.turn != turn:
            self.turns.append(turn)
            if self.look is not None:
                self.look.met.clear()
            self.look = Look(call.event.step, turn)
            if len(self.looks) < LOOKS:
                self.looks.append(self.look)
        self.look.add(call)
        self.scored, self.made = self.scored | call.scored, self.made | call.made
        self.copied, self.drawn = self.copied | call.copied, self.drawn | call.drawn
        hashes = call.hashes.tolist()
        self.given += len(hashes)
        learned = training.rows if training is not None else {}
        if training is not None and set(hashes) == training.newest and len(learned) > len(training.newest):
            self.stepped += len(hashes)
        trained = {h for h in hashes if h in learned}
        if self.base is None or (learned and not self.learned):
            self.base, self.learned = self.look, bool(learned)
            self._begin()
        if self.look is not self.base:
            late = set(hashes) - self.rows
            self.new_later, self.later = self.new_later + len(late), self.later + len(late & trained)
        if self.look is self.base:  # training on these rows later, as in a final fit, is no leak
            self.trained |= trained
            self.mixed += len(trained) if len(trained) < 0.98 * len(set(hashes)) else 0
            self.seen += len(hashes)
            self.repeated += len(hashes) - len(set(hashes))
            self.first_rows.update(hashes)
            if call.labels is not None:
                self.labels.update(call.labels.tolist())
        if training is not None and training.rows:
            self.right, self.judged = self.right + call.right, self.judged + call.judged
        fresh = {h: i for i, h in enumerate(hashes) if h not in self.rows and h not in learned}
        new = sorted(fresh.values())
        if len(self.rows) < MOST:
            if new:
                self.columns.add(call.flat[new])
                self.sample.add(call.flat[new])
            self.fresh |= {hashes[i] for i in new}
            self.rows |= set(hashes)

    def whole(self) -> Look | None:
        """The newest look that covers all rows: as many as the longest look had, or as the loader has."""
        loaded = self.reading.rows if self.reading is not None else 0
        most = max((look.rows for look in self.looks), default=0)
        return next((look for look in reversed(self.looks) if look.rows in (most, loaded)), None)

    def predicted(self, written: set[int]) -> bool:
        """Whether no label of these rows was seen, and a table of as many rows was written to a file."""
        return not self.scored and not self.labels and any(look.rows in written for look in self.looks)

    def label_digests(self) -> set[int]:
        """The label digests of all labelled looks."""
        return {look.label_digest for look in self.looks if look.labelled}

    def changes(self) -> tuple[int, int]:
        """(changed, stable): numbers of looks with the previous one's labels, but other rows or the same."""
        changed = stable = 0
        for one, two in zip(self.looks, self.looks[1:], strict=False):
            both = one.labelled and two.labelled and one.rows == two.rows >= 10 and not one.blocks
            in_order = one.label_digest == two.label_digest
            if both and (in_order or self._all_rows(one, two)):
                same = one.digest == two.digest if in_order else one.any_order == two.any_order
                changed, stable = changed + (not same), stable + same
        return changed, stable

    def _all_rows(self, one: Look, two: Look) -> bool:
        """Whether two looks are at all rows of one loader, in any order, none of them padded."""
        loaded = self.reading.rows if self.reading is not None and self.reading.once else -1
        shape_known = len(one.shapes | two.shapes) == 1
        return one.rows == two.rows == loaded and one.labels == two.labels and shape_known
