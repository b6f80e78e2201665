"""What the rows that entered nets are remembered by: hashes, labels, phases of evaluation."""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.answers import Answers
from treino.diagnosis.watch.columns import Columns
from treino.diagnosis.watch.reads import ReadSeen
from treino.diagnosis.watch.related import Pairs
from treino.diagnosis.watch.scored import Scores
from treino.diagnosis.watch.seen import NetSeen
from treino.diagnosis.watch.where import Spot

WIDE = 256  # columns that are hashed of a wider row
# The same for any width: rows of one text are equal, however far they are filled with zeros.
_WEIGHTS = np.random.RandomState(0).randint(1, 2**62, size=WIDE).astype(np.uint64) | np.uint64(1)
Names = tuple[Site, ...]
KNOWN = (torch.float32, torch.float64)


def as_array(t: torch.Tensor) -> np.ndarray:
    """A tensor's values, out of its graph: as float32 where NumPy lacks the type (bfloat16) or its range."""
    t = t.detach()
    known: np.ndarray = (t.float() if t.is_floating_point() and t.dtype not in KNOWN else t).numpy()
    return known


def hash_rows(x_ND: np.ndarray) -> np.ndarray:
    """[N] one 64-bit number for each row of float32 [N, D]; equal rows have equal numbers."""
    rows = np.ascontiguousarray(x_ND, dtype=np.float32)
    if rows.shape[1] > WIDE:
        rows = np.ascontiguousarray(rows[:, :: -(-rows.shape[1] // WIDE)])
    if rows.shape[1] % 2:
        rows = np.concatenate([rows, np.zeros((len(rows), 1), np.float32)], axis=1)
    pairs = rows.view(np.uint64)  # two floats at once: half the work
    mixed: np.ndarray = pairs @ _WEIGHTS[: pairs.shape[1]]
    return mixed


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
    both: bool = False  # calls of one phase were of rows that were trained on, others of new ones
    width: int = 0  # of all rows; -1 where it varies
    some: list[np.ndarray] = field(default_factory=list)  # rows of the first phase
    spoiled: int = 0  # rows with NaN whose answers were not finite, while all others' were
    scores: Scores = field(default_factory=Scores)

    def told(self, labels: np.ndarray, predicted: np.ndarray | None, rows: int, digest: int) -> None:
        """What the rows of a call are, and what the net said of them."""
        if not self.first:
            self.labels.update(labels.tolist())
        if predicted is not None and len(predicted) == len(labels):
            self.right += int((predicted == labels).sum())
            self.judged += len(labels)
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

    @property
    def held_out(self) -> bool:
        """Whether it is of rows that the net was not trained on, or some of its calls are."""
        return len(self.trained_before) <= 0.1 * len(self.rows) or self.mixed

    @property
    def settled(self) -> bool:
        """Whether further evaluations would tell nothing new about the rows."""
        return self.stable >= 2 or self.changed >= 3


@dataclass(eq=False)
class StandingSeen:
    """A table that a training took its rows from: all of its rows, equal ones too."""

    columns: Columns
    rows: frozenset[int]  # hashes


@dataclass(eq=False)
class TrainSeen:
    """The rows that a net was trained on."""

    net: NetSeen
    rows: dict[int, float] = field(default_factory=dict)  # hash -> label of the first time (or NaN)
    twice: int = 0  # rows seen twice before the first epoch was over
    first_epoch: int = 0
    newest: int = -1  # the step of the newest call that was looked at
    over: bool = False
    done: bool = False
    repeated: int = 0
    told: "Told" = field(default_factory=lambda: Told())
    sample: list[np.ndarray] = field(default_factory=list)
    columns: Columns = field(default_factory=Columns)
    leaked: Counter[int] = field(default_factory=Counter)
    largest: float = 0.0
    column_std: np.ndarray | None = None
    first_step: int = -1  # optimizer steps taken when it was first called for training, since its weights
    last_step: int = -1  # ... were last made anew, and when it was last
    floating: bool = True  # rows of numbers, not of tokens
    pairs: bool = False  # rows of categories alone, each of another kind, as of users and items
    adversarial: bool = False
    inner: bool = False  # its rows are made by other layers that learn
    right: int = 0
    judged: int = 0
    loader: Site | None = None
    reads: ReadSeen | None = None
    site: Site | None = None
    labels_first: Counter[float] = field(default_factory=Counter)
    goals: Goals = field(default_factory=Goals)
    only_in_eval: set[int] = field(default_factory=set)  # rows that it learned on in evaluation mode alone
    eval_step: int = -1  # ... and when it first did
    forebear: "Forebear | None" = None  # what the weights learned before they were copied to this net
    names: Names = ()  # the lines that led there
    way: Names = ()  # the lines that led to its first call for training
    width: int = 0  # of all rows; -1 where it varies
    some: list[np.ndarray] = field(default_factory=list)  # rows of the first epoch
    labelled: Pairs = field(default_factory=Pairs)  # ... and rows with their labels
    held: list[np.ndarray] = field(default_factory=list)  # numbers for each column that its layers hold
    standing: list[StandingSeen] | None = None  # the tables that its first batch was taken from

    def knows(self, *, restored: bool) -> Collection[int]:
        """The rows that the weights learned: those until they were kept, where such weights are back."""
        if self.forebear is not None and (restored or not self.rows):
            return self.forebear.until()
        return self.rows

    def take_after(self, trains: Iterable["TrainSeen"]) -> None:
        """An average of weights knows what the only net that learns was shown."""
        others = [t for t in trains if t.rows]
        if self.forebear is None and len(others) == 1:
            self.forebear = Forebear(others[0], others[0].rows, -1)

    def learned(self) -> "TrainSeen":
        """The training that the weights come from: the net's own, or that of the net it is a copy of."""
        return self if self.rows or self.forebear is None else self.forebear.train


@dataclass
class Forebear:
    """A net that learned, and its rows until it was copied: so many, or, if -1, all that there will be."""

    train: TrainSeen
    rows: dict[int, float]
    count: int
    _until: frozenset[int] = frozenset()

    def until(self) -> Collection[int]:
        """The first of its rows, so many."""
        if self.count < 0:
            return self.rows
        if not self._until:
            self._until = frozenset(islice(self.rows, self.count))
        return self._until


@dataclass
class Told:
    """Which labels the rows of training came with when they came again; rows with all that a net is given."""

    known: dict[int, float] = field(default_factory=dict)  # where there is more than one input
    again: int = 0
    other: int = 0  # with another label than the first time
    torn: int = 0  # rows that came twice in one batch, with two labels
    first: Counter[float] = field(default_factory=Counter)
    later: Counter[float] = field(default_factory=Counter)
    batches: int = 0
    counts: tuple[tuple[float, int], ...] = ()  # how often each label came in the newest batch
    alike: bool = True  # ... and in all of them

    def add(self, rows: list[int], labels: list[float], known: dict[int, float]) -> None:
        """A batch; known: the first labels of rows."""
        batch = dict(zip(rows, labels, strict=True))
        if len(batch) < len(rows):
            self.torn += sum(batch[r] != label for r, label in zip(rows, labels, strict=True))
        again = {r for r in known.keys() & batch.keys() if known[r] == known[r] and batch[r] == batch[r]}
        self.again += len(again)
        self.other += sum(known[r] != batch[r] for r in again)
        self.later.update(batch[r] for r in again)
        self.first.update(label for r, label in batch.items() if r not in again)
        counts = tuple(sorted(Counter(labels).items()))
        self.alike = self.alike and (not self.batches or counts == self.counts)
        self.counts = counts
        self.batches += 1

    def add_whole(self, rows: list[int], labels: list[float]) -> None:
        """A batch of a net with more than one input."""
        self.add(rows, labels, self.known)
        self.known.update((r, label) for r, label in zip(rows, labels, strict=True) if r not in self.known)


@dataclass
class FitSeen:
    """One fit of a scaler: what its rows became."""

    site: Site | None
    kind: str
    rows: int
    width: int
    raw: np.ndarray  # hashes, sorted
    out: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))


@dataclass
class FoldSeen:
    """One fold of a cross-validation, as it was handed out."""

    site: Site | None
    step: int
    train: frozenset[int]
    test: frozenset[int]


@dataclass
class ApartSeen:
    """A column that stands in order, value by value, was split by position."""

    site: Site | None
    training: float  # the mean in the one part
    evaluation: float  # ... and in the other
    rows: int  # of the other
    name: str  # of a table's column; targets of their own have none


@dataclass
class PartedSeen:
    """Labels that stand class by class were split by position."""

    site: Site | None
    known: Counter[object]  # label -> how often it is in the one part
    others: Counter[object]  # ... and in the other
    name: str  # of a table's column; labels of their own have none

    @property
    def unseen(self) -> float:
        """The share of the other part whose classes the one part has none of."""
        return sum(n for k, n in self.others.items() if k not in self.known) / self.others.total()

    @property
    def shift(self) -> float:
        """How far the shares of the classes are apart: 1 where the parts have none in common."""
        return apart(self.known, self.others)


def apart(some: Counter[Any], others: Counter[Any]) -> float:
    """Half the sum of the differences between the shares of all classes."""
    shares = ((some[k] / some.total(), others[k] / others.total()) for k in some.keys() | others.keys())
    return sum(abs(a - b) for a, b in shares) / 2


@dataclass
class PickedSeen:
    """An evaluation with rows that the net had been trained on: known by their numbers in a dataset."""

    net: NetSeen
    names: Names
    spots: tuple[Spot, ...]
    loader: Site | None
    rows: int
    trained: int
    learned: int  # rows of training
    at_once: bool  # all rows in one call
    train_loader: Site | None
    way: Names  # the lines that led to its training


@dataclass(eq=False)
class DataSeen:
    """Everything about rows."""

    evals: dict[tuple[int, int, Names], EvalSeen] = field(default_factory=dict)
    trains: dict[int, TrainSeen] = field(default_factory=dict)
    fits: list[FitSeen] = field(default_factory=list)
    folds: list[FoldSeen] = field(default_factory=list)
    multiplied: float = 0.0  # the largest number that entered a weighted sum without a norm before it
    stretched: float = 0.0  # the largest number that was multiplied with a weight of its own column
    normed: bool = False  # a norm took rows as they came
    answers: Answers = field(default_factory=Answers)
    scores: Scores = field(default_factory=Scores)
    nan_calls: int = 0
    nan_rows: int = 0
    nan_site: Site | None = None
    nan_made: Site | None = None
    nan_born: Site | None = None  # where NumPy warned of it first
    nan_led: tuple[tuple[Site, Spot], ...] = ()  # the calls that led there, innermost first
    nan_hurt: int = 0  # ... and the loss was not finite
    splits: list[tuple[Site | None, bool]] = field(default_factory=list)  # (line, shuffled)
    apart: list[ApartSeen] = field(default_factory=list)
    parted: list[PartedSeen] = field(default_factory=list)
    picked: list[PickedSeen] = field(default_factory=list)
    shuffles: list[tuple[Site | None, tuple[int, int]]] = field(
        default_factory=list
    )  # (rows, steps and backwards until then) of arrays alone


def keep_some(some: list[np.ndarray], rows_ND: np.ndarray, most: int) -> None:
    """Add rows of the same width, from all over a batch, until there are so many."""
    room = most - sum(map(len, some))
    if room > 0 and (not some or some[0].shape[1] == min(64, rows_ND.shape[1])):
        some.append(rows_ND[:: -(-len(rows_ND) // room), :64].copy())


def chance(train: TrainSeen, columns: int = 64) -> float:
    """How likely two rows are to be equal by chance, from so many columns, times the rows there are."""
    if not train.sample:
        return 0.0
    width = min(columns, *(s.shape[1] for s in train.sample))
    rows = np.concatenate([s[:, :width] for s in train.sample])
    p = 1.0
    for column in rows.T:
        _, counts = np.unique(column, return_counts=True)
        p *= float(((counts / len(rows)) ** 2).sum())
    return p * max(1, len(train.rows))
