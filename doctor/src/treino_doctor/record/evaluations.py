"""Evaluations: rows with which a net was called, at one place, without learning from them."""

from collections import Counter
from typing import Any

from treino_doctor.record.arrays import np
from treino_doctor.record.tables import Columns, RowSample, class_by_class

SAMPLE = 1000  # maximum number of rows kept whole
MOST = 50_000
LOOKS = 500


class Look:
    """One pass over rows at one place, between two turns of training. right, judged: its predictions that are
    right, and all that were compared with a label; calls: of the net; newest: the number of the last one.
    """

    def __init__(self, step: int, turn: int) -> None:
        self.step, self.turn = step, turn
        self.rows = self.digest = self.label_digest = self.right = self.judged = self.calls = self.newest = 0
        self.labels: Counter[float] = Counter()
        self.labelled = True
        self.blocks = False  # labels are sorted by class, as in few-shot tasks, whatever the rows

    def add(self, call: Any) -> None:
        """Add a call."""
        place = np.uint64(2 * self.rows + 1)
        self.digest = (self.digest + int((call.hashes * place).sum())) % 2**64
        self.rows += len(call.flat)
        self.right, self.judged = self.right + call.right, self.judged + call.judged
        self.calls, self.newest = self.calls + 1, call.event.forward
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
        self.turns: list[int] = []
        self.look: Look | None = None
        self.looks: list[Look] = []
        self.rows: set[int] = set()
        self.trained: set[int] = set()
        self.fresh: set[int] = set()
        self.later = self.new_later = self.mixed = self.repeated = self.right = self.judged = self.seen = 0
        self.labels: Counter[float] = Counter()
        self.columns, self.sample = Columns(), RowSample(SAMPLE)
        self.scored = self.made = self.copied = False
        self.drawn: set[Any] = set()
        self.base: Look | None = None  # the first look after the net has learned
        self.learned = False
        self.first_rows: set[int] = set()  # rows of the first look
        self._restarts = 0  # of the training that the rows were compared with

    def _begin(self) -> None:
        """Reset the counts that describe a single look."""
        self.trained, self.first_rows, self.labels = set(), set(), Counter()
        self.seen = self.repeated = self.mixed = self.later = self.new_later = 0

    def add(self, call: Any, training: Any) -> None:
        """Add a call and compare its rows with the rows trained on so far."""
        turn = call.event.turn
        if training is not None and training.restarts != self._restarts:  # rows of earlier folds
            self._restarts, self.base, self.learned = training.restarts, None, False
            self.rows, self.fresh = set(), set()
            self.columns, self.sample = Columns(), RowSample(SAMPLE)
        if self.look is None or self.look.turn != turn:
            self.turns.append(turn)
            self.look = Look(call.event.step, turn)
            if len(self.looks) < LOOKS:
                self.looks.append(self.look)
        self.look.add(call)
        self.scored |= call.scored
        self.made |= call.made
        self.copied |= call.copied
        self.drawn |= call.drawn
        hashes = call.hashes.tolist()
        learned = training.rows if training is not None else {}
        trained = {h for h in hashes if h in learned}
        if self.base is None or (learned and not self.learned):
            self.base, self.learned = self.look, bool(learned)
            self._begin()
        if self.look is not self.base:
            late = set(hashes) - self.rows
            self.new_later, self.later = self.new_later + len(late), self.later + len(late & trained)
        if self.look is self.base:  # training on the rows later, as for a final fit, is no leak
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
        """The newest look at all rows: as many as the longest one had, or as the loader has."""
        loaded = self.reading.rows if self.reading is not None else 0
        most = max((look.rows for look in self.looks), default=0)
        return next((look for look in reversed(self.looks) if look.rows in (most, loaded)), None)

    def label_digests(self) -> set[int]:
        """The label digests of all labelled looks."""
        return {look.label_digest for look in self.looks if look.labelled}

    def changes(self) -> tuple[int, int]:
        """(changed, stable): looks with the previous look's labels, and with other or the same rows."""
        changed = stable = 0
        for one, two in zip(self.looks, self.looks[1:], strict=False):
            both = one.labelled and two.labelled and one.rows == two.rows >= 10 and not one.blocks
            if both and one.label_digest == two.label_digest:
                changed += one.digest != two.digest
                stable += one.digest == two.digest
        return changed, stable
