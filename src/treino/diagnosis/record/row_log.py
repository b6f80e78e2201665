"""Events about rows: which entered nets, in training and in evaluations, and where they came from."""

from dataclasses import dataclass, field

from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Event


@dataclass(frozen=True, kw_only=True)
class RowsTrained(Event):
    """The rows that a net was trained on.

    rows: different ones in what was looked at; seen: with those that came again; twice: that came again
    before the first epoch was over. labels: how often each came, of labels; labelled: there were any.
    largest: the largest number; spread: the largest deviation of a column by the least; middle: the
    median one. entering: the largest number that met the first weights. again: rows that came with a
    label once more; other: ... with another one; alike: in the same shares. loose: rows whose labels
    neither the nearest row nor a linear fit tells, 0 where one does. related: the largest correlation
    between two columns. made: they are what nets gave. right, judged: answers in training. chance: how
    many rows are equal to one by chance, from how often each column's numbers come. telling: the share of
    rows that one column alone tells apart.
    """

    net: int
    loader: Site | None = None
    rows: int
    seen: int
    twice: int = 0
    calls: int = 0
    first: int = 0
    last: int = 0
    floating: bool = True
    labels: dict[str, int] = field(default_factory=dict)
    labelled: bool = False
    largest: float = 0.0
    spread: float = 1.0
    middle: float = 0.0
    entering: float = float("nan")
    again: int = 0
    other: int = 0
    alike: bool = False
    loose: int = 0
    related: float = 0.0
    made: bool = False
    right: int = 0
    judged: int = 0
    chance: float = 0.0
    telling: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RowsEvaluated(Event):
    """Rows for which a net was called without learning from them.

    learner: the net whose training these are held against: itself, or the only one like it that learned;
    -1. rows: different ones; trained: those that had been trained on; mixed: ... in
    calls with new rows, too; later: ... that came in later looks, for the first time, of ``new_later``.
    by_number: rows that training drew from the same data set, by their numbers there. repeated: rows
    that came twice in one call. part: the place among the parts of a split, by ``how`` it
    is known ("rows", "numbers", "labels", "slice"); -1; cut: the split's line; shared: which share of the
    rows lies in its other parts, too. looks: turns at which these were looked at; changed: looks with
    other rows than before, under the same labels; stable: with the same. near: of ``near_of`` rows, those
    that are nearly one with training rows, by a ``measure``. scored: someone compared answers and labels,
    or a loss did.
    digest: of the rows, in any order. drawn: a line that drew random numbers
    before these calls, outside of nets, as before those of training.
    """

    net: int
    learner: int
    loader: Site | None = None
    rows: int
    trained: int
    mixed: int = 0
    later: int = 0
    new_later: int = 0
    repeated: int = 0
    by_number: int = 0
    numbers: int = 0
    part: int = -1
    how: str = ""
    cut: Site | None = None
    shuffled: bool = False
    shared: float = 0.0
    labels: dict[str, int] = field(default_factory=dict)
    judged: int = 0
    right: int = 0
    scored: bool = False
    looks: tuple[int, ...] = ()
    changed: int = 0
    stable: int = 0
    clean: bool = False  # another evaluation has the same labels, and rows that stay what they are
    made: bool = False
    copied: bool = False  # the target has the shape of the rows, as where noise is to be taken out
    digest: str = ""
    drawn: Site | None = None
    leaked: int = 0  # of those trained on: that lie in its part of the split
    covers: float = 0.0  # the share of training's rows that are among these
    near: int = 0
    near_of: int = 0
    measure: str = ""


@dataclass(frozen=True, kw_only=True)
class RowsFitted(Event):
    """A scaler or its like, of which training's and evaluation's rows come. site: of its fit, where known.

    fitted: rows that it saw; rows: of the evaluation; evaluated, trained: which share of each it saw. apart:
    they were one part of a split, or it scaled many others.
    """

    net: int
    kind: str
    fitted: int
    rows: int
    evaluated: float
    trained: float
    apart: bool = False
    at: Site | None = None  # the evaluation, with the lines that led there
    loader: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Blocks(Event):
    """Labels that stand class by class, or are all alike, as they became a tensor or a part of a split."""

    labels: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Folded(Event):
    """A cross-validation handed out its next fold. again: its test rows that the fold before trained on."""

    rows: int
    again: int


@dataclass(frozen=True, kw_only=True)
class Lonely(Event):
    """Rows that a net learns from were put in an order that their labels were not, or the other way round."""

    at: Site | None = None
    rows: int


@dataclass(frozen=True, kw_only=True)
class BadRows(Event):
    """Rows with NaN or infinity entered a net. spoiled: rows whose answers came out so. forward: -1 between
    windows, where answers aren't seen.
    """

    forward: int
    loader: Site | None = None
    rows: int
    spoiled: int
    learning: bool
    made_at: Site | None = None
