"""What the rows that entered nets are remembered by: hashes, labels, phases of evaluation."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.answers import Answers
from treino.diagnosis.watch.columns import Columns
from treino.diagnosis.watch.eval_seen import EvalSeen, Goals, Names
from treino.diagnosis.watch.reads import ReadSeen
from treino.diagnosis.watch.related import Pairs
from treino.diagnosis.watch.scored import Scores
from treino.diagnosis.watch.seen import NetSeen
from treino.diagnosis.watch.where import Spot

WIDE = 256  # columns that are hashed of a wider row
# The same for any width: rows of one text are equal, however far they are filled with zeros.
_WEIGHTS = np.random.RandomState(0).randint(1, 2**62, size=WIDE).astype(np.uint64) | np.uint64(1)


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
