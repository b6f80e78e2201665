"""Events about rows: which rows entered nets, in training and in evaluations, and where they came from."""

from dataclasses import field

from treino_doctor.finding import Site
from treino_doctor.record.log import Event


class RowsTrained(Event):
    """The rows that a net was trained on.

    rows: distinct rows. seen: rows of the first epoch, with repeats; twice: repeats among them. labels: the
    count of each label; labelled: whether there were labels. largest: the largest absolute number. spread:
    the largest standard deviation of a column over the smallest; middle: the median of the columns' standard
    deviation. entering: the largest input entry of the net's first product. again: rows that came back with a
    label; other: the rows among them whose label had changed; alike: whether old and new labels have the same
    shares. made: the rows are outputs of nets. right, judged: the numbers of right and of all predictions in
    training. chance: the expected number of rows equal to one row by chance. telling: the largest share of
    distinct values in a column."""

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
    made: bool = False
    right: int = 0
    judged: int = 0
    chance: float = 0.0
    telling: float = 0.0


class RowsEvaluated(Event):
    """Rows for which a net was called without learning from them.

    learner: the net whose training these rows are compared with: this net, or the only trained net of the
    same shape; -1 if there is none. rows: distinct rows. trained: rows trained on before; mixed: rows trained
    on, in calls that have new rows too; later: rows trained on among the new_later rows that first came in
    later looks. by_number: of ``numbers``, those that training drew from this data set. repeated: rows
    that came twice in one call. part: index of the part of a split, or -1; how: how that is known ("rows",
    "numbers", "labels"); cut: the split's line; shared: the share of rows that its other parts hold too.
    looks: the turns of the evaluations; changed: looks with the same labels but other rows than before;
    stable: looks with the same rows. scored: the predictions were compared with labels. digest: a hash of the
    rows in any order. drawn: a line that drew random numbers outside of nets, before these calls and before
    training's. draws: the loaders of these rows and of training's drew random numbers for their rows.
    predicted: no label was seen, and as many answers were written to a file."""

    net: int
    learner: int
    loader: Site | None = None
    rows: int
    trained: int
    away: float = 0.0  # share of the columns three deviations of training's off, or three times as wide
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
    predicted: bool = False
    looks: tuple[int, ...] = ()
    changed: int = 0
    stable: int = 0
    clean: bool = False  # another evaluation has the same labels and unchanging rows
    made: bool = False
    copied: bool = False  # the target has the shape of the rows, as in denoising
    digest: str = ""
    drawn: Site | None = None
    draws: bool = False
    leaked: int = 0  # rows trained on that are in this part of the split
    covers: float = 0.0  # the share of training's rows that are among these rows
    given: int = 0  # rows that the net was given here, with repeats
    stepped: int = 0  # rows given here in calls of a training batch right after it was learned from
    gathered: int = 0  # rows that it was given here first, and later trained on, as in a rollout


class Evaluated(Event):
    """An evaluation: a pass over rows at one place, between two turns of training.

    whole: the newest over all rows of its place. learned: the net, or its weights, had been trained. newest:
    its last call's number. calls: those of the net, the largest with ``most`` rows. right: the predictions,
    out of ``judged``, that equal their labels, ``final`` of them in the last call. shares: the sum of the
    calls' shares of right ones; chained: the same, divided by the calls so far at each of them. labels: the
    count of each. fitting: where right ones are as many as chance gives, how many equal other labels that the
    program holds, beyond any luck; else 0. met_at: then the line of the loader, or that compared them."""

    net: int
    learned: bool
    newest: int
    calls: int
    rows: int
    most: int
    right: int
    final: int
    judged: int
    whole: bool
    shares: float = 0.0
    chained: float = 0.0
    fitting: int = 0
    met_at: Site | None = None
    labels: dict[str, int] = field(default_factory=dict)


class RowsFitted(Event):
    """A scaler that produced the rows of a training and an evaluation. site: the line of its fit, if known.

    fitted: number of rows that it was fitted on; rows: number of evaluated rows. evaluated, trained: the
    share of each among the fitted rows. apart: the fitted rows were one part of a split, or it transformed
    many other rows. again: it was fitted on evaluation rows alone, and another of its kind on training's."""

    net: int
    kind: str
    fitted: int
    rows: int
    evaluated: float
    trained: float
    apart: bool = False
    again: bool = False
    at: Site | None = None  # the evaluation's line
    loader: Site | None = None


class Blocks(Event):
    """Labels that were sorted class by class, or all equal, when they became a tensor or part of a split."""

    labels: dict[str, int]


class Folded(Event):
    """A cross-validation yielded its next fold. again: test rows of the fold that the previous fold trained
    on."""

    rows: int
    again: int


class Misaligned(Event):
    """Rows and labels don't belong together. other: the number of rows that got what is another row's.

    how: "compared": the predictions for a loader's batches were compared with the same labels in another
    order, without learning; "sampled": a loader's sampler draws by weights that are those of the classes, but
    not of its rows' own classes; "alone": training rows were reordered without their labels, or labels
    without their rows, and a loss got both on the line ``at``."""

    how: str
    rows: int
    other: int = 0
    at: Site | None = None
    loader: Site | None = None


class BadRows(Event):
    """Rows with NaN or infinity entered a net. spoiled: rows whose outputs were not finite. forward: -1
    between windows, where outputs aren't recorded."""

    forward: int
    loader: Site | None = None
    rows: int
    spoiled: int
    learning: bool
    made_at: Site | None = None
