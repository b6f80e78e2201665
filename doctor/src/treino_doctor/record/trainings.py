"""Calls of nets, and the rows that each net was trained on."""

import math
from collections import Counter
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.loaders import Reading
from treino_doctor.record.log import Forward
from treino_doctor.record.related import LabelColumns
from treino_doctor.record.tables import WIDE, Columns, RowSample
from treino_doctor.record.values import Node

MOST = 50_000  # maximum number of rows remembered
SAMPLE = 2000  # maximum number of rows kept whole


class Call:
    """One call of a net: its rows, and what is known about them."""

    def __init__(self, event: Forward, flat: np.ndarray, hashes: np.ndarray) -> None:
        self.event, self.flat, self.hashes = event, flat, hashes
        self.labels: np.ndarray | None = None
        self.right = self.judged = 0
        self.scored = self.copied = self.made = False
        self.given: np.ndarray | None = None  # the labels that the loader gave
        self.kept = False  # it was compared with these
        self.relabelled = False  # the loss got other labels than the loader gave
        self.reading: Reading | None = None
        self.drawn: set[Site] = set()
        self.node: Node | None = None

    def judge(self, right: np.ndarray) -> None:
        """Set which of the call's predictions are right."""
        self.judged, self.right = len(right), int(right.sum())


class Training:
    """The rows that one net was trained on."""

    def __init__(self, net: int, shape: Any) -> None:
        self.net, self.shape = net, shape
        self.restarts = 0
        self.rows: dict[int, float] = {}  # hash -> first label, or NaN
        self.seen = self.twice = self.calls = self.again = self.other = 0
        self.right = self.judged = 0
        self.first = self.last = -1
        self.done = self.reset = self.made = False
        self.floating = True
        self.site: Site | None = None
        self.stack: tuple[Site, ...] = ()
        self.loader: Site | None = None
        self.epoch = -1
        self.columns, self.sample = Columns(), RowSample(SAMPLE)
        self.label_columns, self.flat, self.stride = LabelColumns(), True, 1
        self.sample_labels: list[np.ndarray] = []
        self.labels: Counter[float] = Counter()
        self.later: Counter[float] = Counter()
        self.labelled = self.relabelled = False
        self.entering = math.nan
        self.numbers: dict[int, set[int]] = {}  # data set -> row numbers that were drawn
        self._origins: set[int] = set()
        self.drawn: set[Site] = set()
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
            call.labels = None  # between windows only the loader's labels are known
        hashes = call.hashes.tolist()
        labels = call.labels.tolist() if call.labels is not None else [math.nan] * len(hashes)
        known = [self.rows.get(h) for h in hashes]
        fresh = [i for i, old in enumerate(known) if old is None]
        epoch = call.reading.epoch if call.reading is not None else 0
        if not self.seen:
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
        self.twice += 0 if over else len(hashes) - len({hashes[i] for i in fresh})
        self.labelled |= call.labels is not None and bool(np.isfinite(call.labels).all())
        self.seen += 0 if over else len(hashes)
        return ended

    def _keep(self, call: Call, fresh: list[int]) -> None:
        """Update the statistics and the sample with new rows."""
        self.columns.add(call.flat[fresh])
        labels = call.labels[fresh] if call.labels is not None else np.full(len(fresh), math.nan)
        self.flat &= len(call.event.shape) == 2
        if self.flat:
            self.stride = -(-call.event.shape[1] // WIDE)
            self.label_columns.add(call.flat[fresh], labels)
        before = self.sample.count
        self.sample.add(call.flat[fresh])
        if self.sample.count > before:
            room = SAMPLE - before
            self.sample_labels.append(labels[:: -(-len(fresh) // room)][: self.sample.count - before])
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
