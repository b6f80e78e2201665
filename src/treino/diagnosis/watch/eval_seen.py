"""Evaluations of a net from one place: rows, labels, answers, and how these change from one to the next."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.columns import Columns
from treino.diagnosis.watch.reads import ReadSeen
from treino.diagnosis.watch.scored import Scores
from treino.diagnosis.watch.seen import NetSeen
from treino.diagnosis.watch.where import Spot

Names = tuple[Site, ...]


@dataclass
class Phase:
    """One evaluation: the calls from one place without a step between, whatever the order of their rows."""

    step: int
    rows: int = 0
    fresh: int = 0  # different ones that had not come before
    digest: int = 0
    labelled: int = 0
    labels: Counter[float] = field(default_factory=Counter)
    trained: int = 0  # rows that this net had been trained on
    kinds: set[bool] = field(default_factory=set)  # calls of such rows, calls of hardly any
    batches: dict[bytes, int] = field(default_factory=dict)  # labels of a call -> digest of its rows

    def luck(self) -> float:
        """How likely two samples of these shares have equal counts: Σ p² of a multinomial, near its mode."""
        share = sum(math.log(n / self.rows) for n in self.labels.values())
        wide = (len(self.labels) - 1) * math.log(4 * math.pi * self.rows)
        return math.exp(min(0.0, -(wide + share) / 2))

    def answered(self, labels: np.ndarray, rows: int, digest: int) -> bool:
        """The labels of a call, of rows of this digest; returns whether they came with other rows before."""
        if len(labels) != rows:
            return False
        self.labelled += rows
        self.labels.update(labels.tolist())
        return rows >= 16 and self.batches.setdefault(labels.tobytes(), digest) != digest


@dataclass
class Goals:
    """Real-valued targets: their range, and the loss of the newest rows."""

    n: int = 0
    low: float = math.inf
    high: float = -math.inf
    loss: float = math.nan

    def add(self, rows: int, goal: tuple[float, float, float] | None) -> None:
        """The targets of one call."""
        if goal is not None:
            self.n += rows
            self.low, self.high = min(self.low, goal[0]), max(self.high, goal[1])
            self.loss = goal[2]


@dataclass
class Asked:
    """What was asked of new rows, in calls of such alone."""

    rows: int = 0  # of the first phase, as the labels are
    labels: Counter[float] = field(default_factory=Counter)
    right: int = 0
    judged: int = 0
    goals: Goals = field(default_factory=Goals)


@dataclass(eq=False)
class EvalSeen:
    """One place from which a net is evaluated: its rows, labels and predictions."""

    net: NetSeen
    names: Names
    spots: tuple[Spot, ...] = ()  # which calls on these lines
    loader: Site | None = None  # the DataLoader that gave the rows
    reads: ReadSeen | None = None  # what it drew for them
    calls: int = 0
    phases: set[int] = field(default_factory=set)  # step counts at which it happened
    rows: set[int] = field(default_factory=set)
    fresh: set[int] = field(default_factory=set)  # new rows, of calls that asked for such
    first: int = 0  # rows of the first phase
    first_trained: int = 0  # ... that had been trained on
    repeats: bool = False  # ... and of which many were the same
    trained_before: set[int] = field(default_factory=set)  # its rows that this net had been trained on
    labels: Counter[float] = field(default_factory=Counter)
    learned: Counter[float] = field(default_factory=Counter)  # labels of training at the first evaluation
    right: int = 0
    judged: int = 0
    changed: int = 0  # the same labels came with other rows
    stable: int = 0
    other: int = 0  # other labels came
    luck: float = 1.0  # how likely so many equal counts of labels are for rows that were drawn anew
    made: bool = False  # its rows are what another net, which learns, said
    views: bool = False  # the same labels with other rows, several times in one evaluation
    skipping: bool = False  # the evaluation that runs is not looked at
    entered: int = -1  # the step count of the newest call
    in_phase: int = 0  # calls since then
    now: Phase | None = None
    before: Phase | None = None
    leaked: Counter[int] = field(default_factory=Counter)  # fit number -> rows that it was fitted on
    columns: Columns = field(default_factory=Columns)
    goals: Goals = field(default_factory=Goals)
    pieces: list[tuple[int, int, int]] = field(default_factory=list)  # first calls: rows, distinct, trained
    asked: Asked = field(default_factory=Asked)
    both: bool = False  # calls of one phase were of rows that were trained on, others of new ones
    width: int = 0  # of all rows; -1 where it varies
    some: list[np.ndarray] = field(default_factory=list)  # rows of the first phase
    spoiled: int = 0  # rows with NaN whose answers were not finite, while all others' were
    scores: Scores = field(default_factory=Scores)

    def told(
        self, labels: np.ndarray, predicted: np.ndarray | None, rows: int, digest: int, *, new: bool
    ) -> None:
        """What the rows of a call are, and what the net said of them."""
        parts: list[EvalSeen | Asked] = [self, self.asked] if new else [self]
        for part in parts:
            if not self.first:
                part.labels.update(labels.tolist())
            if predicted is not None and len(predicted) == len(labels):
                part.right += int((predicted == labels).sum())
                part.judged += len(labels)
        if self.now is not None and self.now.answered(labels, rows, digest):
            self.views = len(self.now.labels) > 1 and predicted is None  # else each was a figure of its own

    def close(self) -> None:
        """A phase is over: hold it against the one before."""
        now, before = self.now, self.before
        if now is None:
            return
        scored = self.scores.take(now.step, now.rows) if len(now.labels) < 2 else None
        if scored is not None:  # what loaders give instead of labels, as skorch's do, says nothing
            self.labels = self.labels if self.first else Counter(map(float, scored.labels.tolist()))
            self.right += int((scored.said == scored.labels).sum())
            self.judged += now.rows
        known = now.rows >= 16 and now.labelled == now.rows and len(now.labels) > 1
        if known and before is not None and (before.rows != now.rows or before.labels != now.labels):
            self.other += 1
        elif known and before is not None:
            if before.digest == now.digest:
                self.stable += 1
            elif self.repeats and now.fresh < 0.6 * now.rows:
                pass  # drawn anew of a few, as the pairs of a dataset are
            elif now.trained < 0.1 * now.rows and before.trained < 0.1 * before.rows:
                self.changed += 1
                self.luck *= 0.0 if before.batches.keys() == now.batches.keys() else now.luck()
        if known:
            self.before = now
        if not self.first:
            self.first, self.first_trained = now.rows, now.trained
            self.repeats = now.fresh < 0.9 * now.rows
        self.both = self.both or len(now.kinds) > 1
        self.now = None

    @property
    def new(self) -> set[int]:
        """Its rows that the net was not trained on, of calls that asked for such."""
        return self.fresh - self.trained_before

    @property
    def mixed(self) -> bool:
        """Whether some of its calls are of rows that the net was trained on, and others of new ones:
        ``for part in (train, test): evaluate(net, part)``.
        """
        apart = all(not 0.1 * distinct < trained <= 0.5 * distinct for _, distinct, trained in self.pieces)
        many = len(self.new) >= 10 and len(self.trained_before) > 0.1 * len(self.rows)
        return self.both and apart and many

    def unseen(self) -> "EvalSeen":
        """Itself; where its calls are of both, what was asked of new rows."""
        if not self.mixed:
            return self
        asked = self.asked
        return replace(
            self,
            rows=self.new,
            trained_before=set(),
            first=asked.rows,
            first_trained=0,
            labels=asked.labels,
            right=asked.right,
            judged=asked.judged,
            goals=asked.goals,
        )

    @property
    def held_out(self) -> bool:
        """Whether it is of rows that the net was not trained on, or some of its calls are."""
        return len(self.trained_before) <= 0.1 * len(self.rows) or self.mixed

    @property
    def settled(self) -> bool:
        """Whether further evaluations would tell nothing new about the rows."""
        return self.stable >= 2 or self.changed >= 3
