"""Makes a table of trials: finds the score, its direction, and which scores belong to one trial.

What a command doesn't specify is read from the file, if the file has it; else the command is refused, with
a list of likely names.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from treino.base.errors import Refusal, nearest
from treino.base.text import listed
from treino.base.words import N_, _, setting

SCORE_MISSING = Refusal("Which column is the score? It isn't said, and nothing here tells it.", "{hint}")
SCORE_UNKNOWN = Refusal("There is no score '{name}'.", "{hint}")
SCORE_OF_WORDS = Refusal("The column '{name}' holds no numbers.", "{hint}", rule="score_unknown")
TRIALS_FEW = Refusal("{what}", "Trials: {counts}. Judge it when more have finished.")
TRIALS_NONE = Refusal("There are no trials in it.", "Judge it when some trials have finished.")
TRIALS_MANY = Refusal(
    "There are {n:,} trials in it, and at most {most:,} are judged.", "Export the trials of one search."
)
NO_NUMBERS = Refusal(
    "It holds no numbers that could be scores.",
    "Write a column with each trial's score.",
    rule="score_missing",
)
SCORE_TEXT = Refusal(
    "The column {name} has a cell '{cell}', which is no plain number.",
    "Write its numbers with a decimal point and nothing else, such as 1042.5 or 83.2.",
)
DIRECTION_MISSING = Refusal(
    "Is a higher {name} better, or a lower one? It isn't said, and nothing here tells it.",
    "Say [[maximize]] or [[minimize]].",
)
SETTINGS_MISSING = Refusal(
    "Which columns are the settings? Rows with equal settings are one trial, and it isn't said.",
    "Say them: [[settings={names}]].",
)
DIRECTION_DIFFERS = Refusal(
    "The file says of {name} that {said}.", "Leave [[minimize]] and [[maximize]] out."
)
COLUMN_UNKNOWN = Refusal("There is no column '{name}'.", "{hint}")
COLUMN_TWICE_USED = Refusal(
    "The column '{name}' is the score, and can't be anything else too.",
    "Name another column, or another [[score]].",
)
ROWS_OF_STEPS = Refusal(
    "Rows with equal settings differ in {name}: they look like one training at several times.",
    "Keep the last row of each training; if each row is a training of its own, rename the column.",
)
SCORES_TWICE = Refusal(
    "There are two scores of {told} with the same settings ({of}).",
    "Say which columns tell them apart: [[seed_column]], [[fold_column]], [[row_column]], [[settings]].",
)

State = Literal["finished", "failed", "running", "pruned"]
STATES: tuple[State, ...] = ("finished", "failed", "running", "pruned")
Unit = Literal["seed", "fold", "row"]
Cell = str | float | bool | None

MOST = 200_000  # maximum number of trials
LARGEST = 1e100  # scores beyond it count as infinite
FEW = 20  # trials below which little can be said
LISTED = 12  # maximum number of names in a hint
UNITS: Mapping[Unit, str] = {"seed": N_("seeds"), "fold": N_("folds"), "row": N_("rows")}
SEEDS = "seed", "random_seed", "random_state"  # settings that are seeds by their name alone
FOLDS = "fold", "cv_fold", "split"
STEPS = "epoch", "step", "iteration", "training_iteration"  # columns that number the rows of one training
TITLES = "trial", "trial_id", "trial_number", "name", "run", "run_id", "id"
_SCORES = "score", "value", "objective", "metric"  # names of scores that don't tell the direction
_FIGURE = re.compile(r"[^A-Za-z\[{(]*\d")  # begins a text that is meant as a number: 83.2%, 1,042.0
_SIGNS = {
    -1: "loss error err rmse mse mae mape logloss log_loss nll perplexity ppl wer cer fid brier cost regret "
    "deviance",
    1: "accuracy acc auc roc_auc f1 f1_macro r2 precision recall map miou iou dice bleu rouge reward return "
    "mcc kappa top1 top5 ndcg psnr ssim",
}
_SIGN_OF = {name: sign for sign, names in _SIGNS.items() for name in names.split()}
_SCORERS = (  # scorers of scikit-learn that _SIGNS doesn't know; of all of its scorers, higher is better
    "adjusted_mutual_info_score adjusted_rand_score completeness_score d2_absolute_error_score "
    "d2_brier_score d2_log_loss_score explained_variance fowlkes_mallows_score homogeneity_score jaccard "
    "jaccard_macro jaccard_micro jaccard_samples jaccard_weighted matthews_corrcoef mutual_info_score "
    "neg_brier_score neg_log_loss neg_max_error neg_mean_absolute_error neg_mean_absolute_percentage_error "
    "neg_mean_gamma_deviance neg_mean_poisson_deviance neg_mean_squared_error neg_mean_squared_log_error "
    "neg_median_absolute_error neg_negative_likelihood_ratio neg_root_mean_squared_error "
    "neg_root_mean_squared_log_error normalized_mutual_info_score positive_likelihood_ratio rand_score "
    "v_measure_score"
)
_TURNING = (  # words that may turn the direction: to some neg_loss is the loss times -1, to others a loss
    "neg negative negated minus inv inverse inverted reciprocal flipped opposite reduction improvement drop "
    "decrease saved savings"
)
_SUBTRACTED = re.compile(
    rf"(?:^|[^\w-])[-−–](?=\w)|(?:^|[\s/(])1(?:00)?(?:\.0)?\s*[-−–]\s*(?:{'|'.join(_SIGN_OF)})\b"
)  # -loss, 1 - accuracy
_SAME = 1e-5  # relative difference up to which a mean is taken as the trial's score


@dataclass(frozen=True)
class TrialRecord:
    """One trial as a file tells it. figures: numbers that may be scores. lists: several numbers of one kind,
    such as the scores of its folds. settings: empty if the file doesn't tell them from figures."""

    name: str
    state: State
    settings: Mapping[str, Cell]
    figures: Mapping[str, float]
    lists: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    seconds: float | None = None
    cells: Mapping[str, Cell] = field(default_factory=dict)

    def cell(self, name: str) -> Cell:
        """The setting, cell or figure of that name."""
        for values in (self.settings, self.cells, self.figures):
            if name in values:
                return values[name]
        return None


@dataclass(frozen=True)
class TrialFile:
    """The records of a file in the order in which the trials began.

    source: the tool that wrote it. study: the name of the search, if it has one. score, better: the score's
    name and direction (1: higher is better, -1: lower), if the file says so. in_lists: for each score, the
    list of its parts and their unit, if the file says so.
    """

    source: str
    study: str | None
    records: tuple[TrialRecord, ...]
    score: str | None = None
    better: int | None = None
    in_lists: Mapping[str, tuple[str, Unit]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """The columns that the command names. settings: None if it doesn't say which columns are settings."""

    score: str | None = None
    better: int | None = None
    seed: str | None = None
    fold: str | None = None
    row: str | None = None
    settings: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Trial:
    """One set of settings. score: its score, or the mean of its ``scores``; NaN without one. scores: by
    seed, fold or row; empty if only the total is known. seconds: of all its scores together."""

    name: str
    state: State
    score: float
    scores: Mapping[Cell | tuple[Cell, ...], float]
    settings: Mapping[str, Cell]
    seconds: float | None


@dataclass(frozen=True)
class TrialTable:
    """Trials in the order in which they began. better: 1 if higher is better, else -1. unit: what the scores
    of one trial differ in; None if only totals are known. folds: their number, if that is the unit."""

    source: str
    study: str | None
    metric: str
    better: int
    unit: Unit | None
    folds: int
    trials: tuple[Trial, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many trials there are in all, of each state, and with a score to judge."""
        by_state = Counter(trial.state for trial in self.trials)
        states: dict[str, int] = {state: by_state[state] for state in STATES}
        return {"total": len(self.trials), **states, "scored": len(self.scored)}

    @property
    def scored(self) -> tuple[Trial, ...]:
        """The finished trials with a finite score, in the order in which they began."""
        return tuple(t for t in self.trials if t.state == "finished" and usable(t.score))


def usable(score: float) -> bool:
    """Whether a score can be judged: it and its square are finite."""
    return abs(score) <= LARGEST


def value_text(value: Cell) -> str:
    """A cell's value as text; whole numbers without a point."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return "–" if value is None else str(value)


def few_enough(count: int) -> None:
    """Refuse more trials than can be judged."""
    if count > MOST:
        raise TRIALS_MANY(n=count, most=MOST)


def trial_table(file: TrialFile, request: Request) -> TrialTable:
    """Make the table of trials with their scores.

    Raises:
        TreinoError: no such column; the score, its direction or the settings are unknown; fewer than two
            trials with a score.
    """
    notes = list(file.notes)
    if not file.records:
        raise TRIALS_NONE()
    texts = _texts(file)
    metric = _score(file, request, texts, notes)
    _only_numbers(texts, metric)
    better = _direction(file, request, metric, notes)
    unit, trials, folds = _trials(file, request, metric, notes)
    few_enough(len(trials))
    table = TrialTable(file.source, file.study, metric, better, unit, folds, trials, ())
    _check(table, notes)
    return replace(table, notes=tuple(notes))


def _check(table: TrialTable, notes: list[str]) -> None:
    """Refuse a table without a choice, and note what can't be judged, or says little."""
    scored, counts = table.scored, table.counts
    if counts["running"]:
        text = _("{n:,} {n:trial is|trials are} still running: this is the state at this moment.")
        notes.append(text.format(n=counts["running"]))
    if lost := counts["finished"] - len(scored):
        text = _("Finished trials without a finite {metric} (none, NaN or infinite), left out: {n:,}.")
        notes.append(text.format(n=lost, metric=table.metric))
    if len(scored) < 2:
        what = (
            _("One trial has a score, so nothing was chosen.")
            if scored
            else _("No finished trial has a score.")
        )
        tell = ", ".join(f"{_(state)} {counts[state]}" for state in STATES)
        raise TRIALS_FEW(what=what, counts=tell)
    if len(scored) < FEW:
        notes.append(
            _("{n} trials say little: take the figures as rough, and a difference as a hint.").format(
                n=len(scored)
            )
        )
    if counts["pruned"]:
        text = _("Pruned trials, of which the end is not known: {n:,}. All figures are of finished ones.")
        notes.append(text.format(n=counts["pruned"]))


# ---- the score


def _score(file: TrialFile, request: Request, texts: Mapping[str, str], notes: list[str]) -> str:
    """Find the name of the score. texts: what ``_texts`` returns."""
    known = Counter(name for record in file.records for name in record.figures)
    if request.score is not None:
        if request.score in known:
            return request.score
        _only_numbers(texts, request.score)
        words = request.score in {name for record in file.records for name in record.cells}
        refusal = SCORE_OF_WORDS if words else SCORE_UNKNOWN
        raise refusal(name=request.score, hint=nearest(request.score, sorted(known)))
    if file.score is not None:
        return file.score
    written = [name for name in texts if name not in known]  # such as 83.2% in all rows
    likely = [
        name
        for name in (*known, *written)
        if _names_score(name) or (name.lower() in _SCORES and name not in (request.settings or ()))
    ]
    if len(likely) == 1:
        notes.append(_("The score is {name}, the only column that is named as one.").format(name=likely[0]))
        return likely[0]
    if not known:
        raise NO_NUMBERS()
    hint = (
        _("Say it: [[score={name}]]. Likely: {names}.").format(name=likely[0], names=listed(likely, LISTED))
        if likely
        else _("Say it: [[score=NAME]]. Columns of numbers: {names}.").format(
            names=listed(list(known), LISTED)
        )
    )
    raise SCORE_MISSING(hint=hint)


def _texts(file: TrialFile) -> dict[str, str]:
    """Return, for each column, the first cell that looks like a number but isn't plainly one."""
    found: dict[str, str] = {}
    for record in file.records:
        for name, cell in record.cells.items():
            if record.state == "finished" and isinstance(cell, str) and _FIGURE.match(cell):
                found.setdefault(name, cell)
    return found


def _only_numbers(texts: Mapping[str, str], metric: str) -> None:
    """Refuse a score with cells such as 83.2% or 1,042.0: the rest would be ranked without them."""
    if (text := texts.get(metric)) is not None:
        raise SCORE_TEXT(name=metric, cell=text[:40])


def direction_of(name: str) -> int | None:
    """Return 1 if higher is better for a score with this name, -1 if lower, None if the name doesn't tell.

    Names are split at everything but letters and digits, and the last known word decides:
    ``val_loss``, ``roc_auc``, ``test/top1``. A word or a sign that turns the direction leaves it open, except
    in the names of scikit-learn's scorers.
    """
    words = re.split(r"[^a-z0-9]+", name.lower().strip())
    scorers = (scorer.split("_") for scorer in _SCORERS.split())
    scorer = max((of for of in scorers if words[-len(of) :] == of), key=len, default=[])
    before = words[: len(words) - len(scorer)]
    if not set(before).isdisjoint(_TURNING.split()) or _SUBTRACTED.search(name.lower()):
        return None
    return 1 if scorer else _sign(name)


def _sign(name: str) -> int | None:
    """The direction of the last known word of a score's name; None if no word is known."""
    whole = re.split(r"[./ ]", name.lower())[-1]
    parts = (whole, *reversed(re.split(r"[^a-z0-9]+", name.lower())))
    return next((_SIGN_OF[part] for part in parts if part in _SIGN_OF), None)


def _names_score(name: str) -> bool:
    """Whether a word of the name is that of a score, whichever its direction."""
    return _sign(name) is not None or direction_of(name) is not None


def _direction(file: TrialFile, request: Request, metric: str, notes: list[str]) -> int:
    if request.better is not None:
        if file.better is not None and metric == file.score and request.better != file.better:
            said = _("higher is better") if file.better > 0 else _("lower is better")
            raise DIRECTION_DIFFERS(name=metric, said=said)
        return request.better
    if file.better is not None and (file.score is None or metric == file.score):
        return file.better
    told = direction_of(metric)
    if told is None:
        raise DIRECTION_MISSING(name=metric)
    said = _("higher is better") if told > 0 else _("lower is better")
    notes.append(_("By its name, {name} is taken so that {said}.").format(name=metric, said=said))
    return told


# ---- which scores belong to one trial


def _trials(
    file: TrialFile, request: Request, metric: str, notes: list[str]
) -> tuple[Unit | None, tuple[Trial, ...], int]:
    asked: dict[Unit, str | None] = {"seed": request.seed, "fold": request.fold, "row": request.row}
    columns = {unit: name for unit, name in asked.items() if name is not None}
    names = list(
        dict.fromkeys(n for r in file.records for of in (r.settings, r.cells, r.figures) for n in of)
    )
    for name in [*columns.values(), *(request.settings or ())]:
        if name not in names:
            raise COLUMN_UNKNOWN(name=name, hint=nearest(name, names))
        if name == metric:
            raise COLUMN_TWICE_USED(name=name)
    if not columns and any(record.cells for record in file.records):
        for flag, usual in (("seed_column", SEEDS), ("fold_column", FOLDS)):
            for name in usual:
                if name in names and name not in (request.settings or ()):
                    text = _("The column {name} isn't used; if it tells scores of one trial apart: {flag}")
                    notes.append(text.format(name=name, flag=setting(flag, name)))
    if not columns and (seed := _seed(file)) is not None:
        columns["seed"] = seed
        notes.append(
            _("Trials that differ in {name} alone are taken as one trial with several seeds.").format(
                name=seed
            )
        )
    apart = {metric, *columns.values()}
    if not columns:
        _one_row_each(file, request, names, notes)
        found = _parts(file, metric, notes)
        unit: Unit | None = None if found is None else found[1]
        trials = tuple(_alone(record, metric, request, found and found[0], apart) for record in file.records)
        return unit, trials, max((len(t.scores) for t in trials), default=0)
    if request.settings is None and not any(record.settings for record in file.records):
        likely = [n for n in names if n not in apart and not _names_score(n)]
        raise SETTINGS_MISSING(names=",".join(likely[:LISTED]) or "a,b")
    groups: dict[tuple[tuple[str, Cell], ...], list[TrialRecord]] = {}
    for record in file.records:
        groups.setdefault(tuple(_settings(record, request, apart).items()), []).append(record)
    trials = tuple(
        _together(dict(key), records, metric, list(columns.values()), request)
        for key, records in groups.items()
    )
    folds = len({record.cell(columns["fold"]) for record in file.records}) if "fold" in columns else 0
    unit = "row" if "row" in columns else "fold" if "fold" in columns else "seed"
    return unit, trials, folds


def _one_row_each(file: TrialFile, request: Request, names: Sequence[str], notes: list[str]) -> None:
    """Refuse one row per epoch: rows of one training are no trials or repeats. Note doubtful columns."""
    if file.source != "table":
        return
    for name in STEPS:
        if name not in names or name in (request.settings or ()):
            continue
        if request.settings is None:
            text = _(
                "The column {name} isn't used; if it numbers rows of one training, keep its last row alone."
            )
            notes.append(text.format(name=name))
            continue
        seen: dict[tuple[Cell, ...], set[Cell]] = {}
        for record in file.records:
            key = tuple(record.cell(n) for n in request.settings)
            seen.setdefault(key, set()).add(record.cell(name))
        if any(len(values) > 1 for values in seen.values()):
            raise ROWS_OF_STEPS(name=name)


def _seed(file: TrialFile) -> str | None:
    """Return the setting named as a seed, if some trials differ in nothing else."""
    for name in SEEDS:
        if not any(name in record.settings for record in file.records):
            continue
        rest = Counter(
            tuple((n, v) for n, v in record.settings.items() if n != name) for record in file.records
        )
        if max(rest.values()) > 1:
            return name
    return None


def _settings(record: TrialRecord, request: Request, apart: Iterable[str]) -> dict[str, Cell]:
    if request.settings is not None:
        return {name: record.cell(name) for name in request.settings}
    return {name: value for name, value in record.settings.items() if name not in apart}


def _alone(record: TrialRecord, metric: str, request: Request, parts: str | None, apart: set[str]) -> Trial:
    values = () if parts is None else _values(record, parts)
    scores: dict[Cell | tuple[Cell, ...], float] = {i: v for i, v in enumerate(values) if usable(v)}
    return Trial(
        record.name,
        record.state,
        record.figures.get(metric, math.nan),
        scores,
        _settings(record, request, apart),
        record.seconds,
    )


def _together(
    settings: dict[str, Cell],
    records: Sequence[TrialRecord],
    metric: str,
    columns: Sequence[str],
    request: Request,
) -> Trial:
    """Join records with equal settings into one trial."""
    scores: dict[Cell | tuple[Cell, ...], float] = {}
    for record in records:
        key = tuple(record.cell(name) for name in columns)
        value = record.figures.get(metric, math.nan)
        if record.state != "finished" or not usable(value):
            continue
        if key in scores:
            told = ", ".join(f"{name} {value_text(cell)}" for name, cell in zip(columns, key, strict=True))
            of = ", ".join(f"{name} {value_text(cell)}" for name, cell in settings.items())
            raise SCORES_TWICE(told=told, of=of[:200])
        scores[key] = value
    states = [record.state for record in records]
    state: State = "finished" if scores else states[0]
    seconds = [
        record.seconds for record in records if record.seconds is not None and record.state == "finished"
    ]
    return Trial(
        records[0].name,
        state,
        sum(scores.values()) / len(scores) if scores else math.nan,
        scores,
        settings,
        sum(seconds) if len(seconds) == len(scores) and seconds else None,
    )


def _parts(file: TrialFile, metric: str, notes: list[str]) -> tuple[str, Unit] | None:
    """Find the list, or the numbered columns, whose mean is the score; return its name and unit."""
    if metric in file.in_lists:
        return file.in_lists[metric]
    scored = [
        r for r in file.records if r.state == "finished" and math.isfinite(r.figures.get(metric, math.nan))
    ]
    found: list[str] = []
    for name in dict.fromkeys(n for record in scored for n in [*record.lists, *_numbered(record.figures)]):
        several = [
            (record.figures[metric], values)
            for record in scored
            if len(values := _values(record, name)) > 1 and all(map(math.isfinite, values))
        ]
        if (
            len(several) > 1
            and len(several) >= len(scored) / 2
            and all(
                abs(sum(values) / len(values) - score) <= _SAME * max(1e-3, abs(score))
                for score, values in several
            )
        ):
            found.append(name)
    if not found:
        return None
    name = found[0]
    unit: Unit = "seed" if re.search("seed|repeat", name.lower()) else "fold"
    text = _("The {metric} of a trial is the mean of its {name}: these are taken as its {unit}.")
    notes.append(text.format(metric=metric, name=name, unit=_(UNITS[unit])))
    return name, unit


def _values(record: TrialRecord, name: str) -> tuple[float, ...]:
    if name in record.lists:
        return record.lists[name]
    return tuple(record.figures[n] for n in _numbered(record.figures).get(name, ()))


def _numbered(figures: Mapping[str, float]) -> dict[str, list[str]]:
    """Group names that differ in one number alone, such as fold0_acc and fold1_acc."""
    groups: dict[str, list[str]] = {}
    for name in figures:
        for number in re.finditer(r"\d+", name):
            groups.setdefault(name[: number.start()] + "*" + name[number.end() :], []).append(name)
    return {name: names for name, names in groups.items() if len(names) > 1}
