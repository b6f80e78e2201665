"""Predictions of a run for new rows, prepared with the preparation of its training rows."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from treino.base.document_fields import finite
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data import PreparedRows, rows_for_prediction
from treino.data.links import Units
from treino.data.preparation.new_rows import forms_of, with_words_of_classes
from treino.data.readers import ReaderOptions
from treino.data.source_kinds import is_pictures
from treino.data.sources import array_of, read
from treino.engine.ensemble import mean_output
from treino.engine.metrics import answered, measure, probabilities
from treino.folders.coverage import CoverageScores, coverage_scores
from treino.folders.data_source import reading_like
from treino.folders.prediction_columns import column_names
from treino.folders.row_hashes import SeenRows, row_groups, seen_rows
from treino.folders.stored_run import StoredRun
from treino.inspection.conformal import Coverage, compared_with, sorted_sets
from treino.inspection.drift import NO_COLUMNS, Drift, drift
from treino.inspection.input_planes import winners
from treino.inspection.outputs import PictureView, outputs, outputs_of_views, views_of
from treino.settings.spec import read_settings

TTA_OF_TABLE = Refusal(
    "Predictions are averaged over shifted pictures, and {run} learnt from other rows.", "Leave [[tta]] out."
)
TTA_WITHOUT_COVERAGE = Refusal(
    "[[tta]] averages predictions, and the intervals and sets of [[coverage={coverage}]] are measured on "
    "predictions that are not averaged.",
    "Leave one of the two out.",
)
SKIP_OF_TABLE = Refusal(
    "[[skip_bad={n}]] is of pictures that can't be read, and {run} learnt from other rows.",
    "Leave it out: a cell that can't be read is named, to be mended.",
)
COVERAGE_OF_ARRAY = Refusal(
    "Of {kind} predictions are an array, without room for intervals or sets.",
    "Give a frame, or ask for a file: treino predict RUN DATA [[coverage={coverage}]]",
)
Figures = dict[str, float | None]
"""Metrics by name; None if not finite."""


@dataclass(frozen=True)
class Prediction:
    """A row's class and the probability of each class, or a number in the target's own units.

    row: its number in the source, from 0. value: a word or a number, or lists of them for a target with axes;
    None if the network's output is not finite. interval: the number's prediction interval (low, high).
    class_set: the classes that can't be ruled out, the most probable first. Either is None if not available.
    file: the picture's; "" for other rows. fold: for out-of-fold predictions, the number, from 1, of the fold
    whose networks predict it. targets: for several targets, the prediction of each by its name; ``value`` is
    then None. further: what the loss teaches beside the number, by name: its quantiles, or its deviation.
    """

    row: int
    value: Any
    probabilities: Figures | None = None
    interval: tuple[float, float] | None = None
    class_set: tuple[str, ...] | None = None
    file: str = ""
    fold: int | None = None
    targets: Mapping[str, "Prediction"] = field(default_factory=dict)
    further: Figures = field(default_factory=dict)

    @property
    def by_target(self) -> Mapping[str, "Prediction"]:
        """The prediction of each target by its name; for a single target by ""."""
        return self.targets or {"": self}

    @property
    def unanswered(self) -> bool:
        """Whether the network's output is not finite."""
        return any(own.value is None for own in self.by_target.values())

    def to_json(self) -> dict[str, Any]:
        if self.targets:
            each = {name: own.to_json() for name, own in self.targets.items()}
            for own in each.values():
                del own["row"]
            return {"row": self.row, "targets": each}
        more: dict[str, Any] = {} if self.probabilities is None else {"probabilities": self.probabilities}
        if self.interval is not None:
            more |= {"low": self.interval[0], "high": self.interval[1]}
        if self.class_set is not None:
            more["set"] = list(self.class_set)
        more |= self.further
        named = {"file": self.file} if self.file else {}
        return {"row": self.row, **named, "prediction": self.value} | more


@dataclass(frozen=True)
class TargetComparison:
    """Metrics on the rows with a known target.

    training_rows: how many of them equal rows that were trained on, in all inputs and the target; None if
    unknown. other_metrics: metrics on the others, if the rows are mixed. targets: the metrics of each target
    by its name, if there are several. every: whether these are exactly the rows that were trained on;
    otherwise some may be equal by chance. again: the share of training rows that equal another one.
    """

    rows_compared: int
    metrics: Figures
    training_rows: int | None
    other_metrics: Figures | None = None
    targets: Mapping[str, Figures] = field(default_factory=dict)
    every: bool = False
    again: float = 0.0

    def sentence(self, figures: str = "") -> str:
        """How many of the rows were trained on; "" if none is known to be. figures: the others', in words."""
        facts = {"n": self.training_rows, "of": self.rows_compared, "figures": figures, "again": self.again}
        if self.training_rows and not self.every and 2 * self.again * self.rows_compared > self.training_rows:
            text = _(
                "{n} of these {of} rows equal rows that were trained on, and {again:.0%} of the training "
                "rows equal another one: such rows return. On the rows that equal none: {figures}"
            )
            return text.format(**facts | {"figures": figures or "–"})
        if self.other_metrics is not None:
            text = _(
                "{n:,} of these {of:,} rows equal rows that were trained on. Only the other {rest:,} tell "
                "what to expect of new rows; on them: {figures}"
            )
            if self.every:
                text = _(
                    "{n:,} of these {of:,} rows were trained on. Only the other {rest:,} tell what to expect "
                    "of new rows; on them: {figures}"
                )
            rest = self.rows_compared - (self.training_rows or 0)
            return text.format(**facts, rest=rest)
        if not self.training_rows:
            return ""
        if self.every:
            return _("All these rows were trained on: the figures say nothing of new ones.")
        return _("All these rows equal rows that were trained on: the figures say nothing of new ones.")

    def to_json(self) -> dict[str, Any]:
        fields = vars(self).copy()
        del fields["every"], fields["again"]
        if not self.targets:
            del fields["targets"]
        if self.other_metrics is None:
            del fields["other_metrics"]
        return fields


@dataclass(frozen=True)
class Predictions:
    """A network's predictions for a source. missing, unknown: the number of cells of each column without a
    value, or with a class that no training row had. comparison: None without known targets. prepared: the
    predicted rows, in the same order. coverage: for each target's intervals or sets, by its name; for a
    single target by ""."""

    each: tuple[Prediction, ...]
    notes: tuple[str, ...]
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    comparison: TargetComparison | None
    prepared: PreparedRows
    coverage: Mapping[str, Coverage] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The ``predict`` document without ``path``."""
        each = {name: worth.to_json() for name, worth in self.coverage.items()}
        covered = {"coverage": each.get("", each)} if each else {}
        return (
            covered
            | {
                "rows": len(self.each),
                "predictions": [prediction.to_json() for prediction in self.each],
                "notes": list(self.notes),
                "missing": dict(self.missing),
                "unknown": dict(self.unknown),
            }
            | ({} if self.comparison is None else self.comparison.to_json())
        )


def predict(
    run: StoredRun, source: Any, *, coverage: float | None = None, tta: bool = False, skip_bad: int = 0
) -> Predictions:
    """Predict a source's rows, and compare the predictions with the targets, if known.

    coverage: for the intervals or sets; default: the run's (for classes, only if the run was given
    one). tta: average over shifted views of each picture, mirrored too if the run was trained so. skip_bad:
    the most pictures that may be left out as unreadable.

    Raises TreinoError if the source can't be read, or lacks columns that the run needs; if the run's
    validation rows can't give the coverage.
    """
    judged, run = run, run.refit or run
    views, skip_bad = _options(run, coverage, tta, skip_bad)
    known = [None if views else coverage_scores(one, coverage) for one in run.by_target]
    prepared, output_NC, answers = _answers(run, source, known, views, skip_bad)
    columns = [tuple(answer.predictions(prepared)) for answer in answers]
    each, names = columns[0], [answer.run.preparation.target for answer in answers]
    if len(columns) > 1:
        each = tuple(
            Prediction(row[0].row, None, targets=dict(zip(names, row, strict=True)))
            for row in zip(*columns, strict=True)
        )
    more = _view_notes(run, views)
    if without := sum(p.unanswered for p in each):
        text = _("The network's output is not finite in {n:,} of {of:,} rows: they have no prediction.")
        more.append(text.format(n=without, of=len(each)))
    compared = _compared(run, prepared, output_NC, seen_rows(run, prepared, "train"))
    refit_notes = [judged.refit_note] if judged.refit_note else []
    if run is not judged and compared is not None:
        refit_notes.append(_("The figures of these rows are the refit's own."))
    notes = (*run.folder.notices, *refit_notes, *prepared.notes, *more)
    covered = _covered(run, source, prepared, answers)
    return Predictions(each, notes, prepared.missing, prepared.unknown, compared, prepared, covered)


@dataclass(frozen=True, eq=False)
class RowsAnswered:
    """A source's rows, the outputs ``[N, C]`` of all that answer for a run, and their answers for each
    target. seen_K: which of the rows with a known target were trained on; None: not known."""

    prepared: PreparedRows
    output_NC: torch.Tensor
    values: list[list[Any]]
    seen_K: torch.Tensor | None


def answered_rows(run: StoredRun, source: Any) -> RowsAnswered:
    """Predict a source's rows, as outputs.

    Raises:
        TreinoError: as ``predict``.
    """
    prepared, output_NC, answers = _answers(run, source, [None] * len(run.by_target), (), 0)
    seen = seen_rows(run, prepared, "train")
    values = [answer.values for answer in answers]
    return RowsAnswered(prepared, output_NC, values, None if seen is None else seen.seen_K)


def _options(
    run: StoredRun, coverage: float | None, tta: bool, skip_bad: int
) -> tuple[tuple[PictureView, ...], int]:
    """The views to average over, and how many pictures may be left out.

    Raises:
        TreinoError: an option that this run's rows can't have, or two that exclude each other.
    """
    views = _views(run) if tta else ()
    if views and coverage is not None:
        raise TTA_WITHOUT_COVERAGE(coverage=str(coverage))
    most = read_settings({"skip_bad": skip_bad}).skip_bad or 0
    if most and run.preparation.kind != "image":
        raise SKIP_OF_TABLE(n=most, run=run.name)
    return views, most


def _views(run: StoredRun) -> tuple[PictureView, ...]:
    """The views of each picture over which predictions are averaged."""
    shape = run.preparation.item_shape
    if run.preparation.kind != "image" or len(shape) not in (2, 3):
        raise TTA_OF_TABLE(run=run.name)
    return views_of(shape, mirrored=bool(run.settings.get("flip")))


@dataclass(frozen=True, eq=False)
class _Answer:
    """The outputs of a run, and of those that predict with it, for one of its targets.

    run: for this target alone. values: None where an output is NaN. p_NC: the probabilities of its classes.
    scores, held: for its intervals or sets, the latter as ``CoverageScores.held``; None: it has none.
    """

    run: StoredRun
    values: list[Any]
    p_NC: np.ndarray | None
    scores: CoverageScores | None
    held: np.ndarray | None
    further: Mapping[str, np.ndarray] = field(default_factory=dict)

    def predictions(self, prepared: PreparedRows) -> Iterator[Prediction]:
        """Yield the prediction of each row."""
        classes, held = self.run.spec.classes, None if self.held is None else self.held.tolist()
        shares = None if self.p_NC is None else self.p_NC.tolist()
        sets = None if self.held is None or self.p_NC is None else sorted_sets(self.held, self.p_NC)
        rows, names = prepared.index.tolist(), prepared.names or ("",) * len(prepared)
        for n, (row, value, name) in enumerate(zip(rows, self.values, names, strict=True)):
            if shares is None:
                ends = None if held is None or value is None or not math.isfinite(value) else tuple(held[n])
                one = value if isinstance(value, list) else finite(value)
                further = {what: finite(float(each_N[n])) for what, each_N in self.further.items()}
                yield Prediction(row, one, interval=ends, file=name, further=further)
                continue
            share = dict(zip(classes, map(finite, shares[n]), strict=True))
            some = None if sets is None or value is None else tuple(classes[c] for c in sets[n])
            yield Prediction(row, value, share, class_set=some, file=name)


def _answers(
    run: StoredRun,
    source: Any,
    known: Sequence[CoverageScores | None],
    views: Sequence[PictureView],
    skip_bad: int,
) -> tuple[PreparedRows, torch.Tensor, list[_Answer]]:
    """Return the prepared rows, the outputs ``[N, C]`` of the run and of all that predict with it, and the
    answer for each target."""
    prepared = _prepared(run, source, skip_bad)
    each, units = [_outputs(run, prepared, views)], _units(run)
    for other in run.others:
        rows = _prepared(other, source, skip_bad)
        other_NC = _outputs(other, rows, views)
        if not run.spec.classes:  # each has the mean and deviation of its own training rows
            other_NC = run.preparation.link.moved(other_NC, _units(other), units)
        each.append(other_NC)
    output_KNC = torch.stack(each)
    output_NC = mean_output(output_KNC, run.loss_function) if run.others else each[0]
    if run.preparation.target_shape:
        return prepared, output_NC, [_Answer(run, _at_positions(run, output_NC), None, None, None)]
    answers = []
    for one, part, scores in zip(run.by_target, run.preparation.output_parts, known, strict=True):
        held = None if scores is None else scores.held(one, prepared.x, output_KNC[:, :, part])
        spec, p_NC = one.spec, None
        values = one.preparation.predictions(output_NC[:, part].double())[:, 0].tolist()
        if spec.classes:
            p_NC = probabilities(output_NC[:, part]).double().cpu().numpy()
            winner_N, known_N = winners(p_NC, one.threshold), np.isfinite(p_NC).all(1)
            values = [spec.classes[c] if k else None for c, k in zip(winner_N, known_N, strict=True)]
        further = {} if spec.classes else one.preparation.further(output_NC[:, part].double())
        further_N = {name: each_N.numpy() for name, each_N in further.items()}
        answers.append(_Answer(one, values, p_NC, scores, held, further_N))
    return prepared, output_NC, answers


def _at_positions(run: StoredRun, output_NC: torch.Tensor) -> list[Any]:
    """Each row's classes or values in the axes of its target; None where one has no answer."""
    p = run.preparation
    output_NCM = output_NC.unflatten(1, (-1, math.prod(p.target_shape)))
    known_N = (answered(output_NCM.mT) if p.classes else output_NC.isfinite()).all(1).tolist()
    if p.classes:
        labels = np.array([p.label(name) for name in p.classes])
        said_NM = labels[output_NCM.argmax(1).numpy()]
    else:
        said_NM = p.predictions(output_NCM[:, 0].double().numpy())
    said = said_NM.reshape(-1, *p.target_shape).tolist()
    return [one if known else None for one, known in zip(said, known_N, strict=True)]


def _prepared(run: StoredRun, source: Any, skip_bad: int) -> PreparedRows:
    try:
        return rows_for_prediction(source, run.preparation, reading_of(run), skip_bad)
    except TreinoError as error:
        if error.rule not in ("feature_text", "feature_truth", "feature_date"):
            raise
        hint = _("Write it as in the training rows, or leave the cell empty.")  # kinds and gaps are theirs
        raise TreinoError(error.rule, error.message, hint) from error


def _units(run: StoredRun) -> Units:
    pairs = [(one.spec.target_mean, one.spec.target_scale) for one in run.by_target]
    return Units(*torch.tensor(pairs).T)


def _outputs(run: StoredRun, prepared: PreparedRows, views: Sequence[PictureView]) -> torch.Tensor:
    if not views:
        return outputs(run.module, prepared.x, item_shape=run.item_shape, index=prepared.index)
    loss, shape = run.loss_function, run.preparation.item_shape
    return outputs_of_views(run.module, prepared.x, shape, views, loss, run.item_shape)


def _view_notes(run: StoredRun, views: Sequence[PictureView]) -> list[str]:
    if not views:
        return []
    sentence = (
        _("Averaged over {n} views of each picture: moved by up to {far} px, and mirrored.")
        if any(view.mirrored for view in views)
        else _("Averaged over {n} views of each picture: moved by up to {far} px.")
    )
    notes = [sentence.format(n=len(views), far=max(view.down for view in views))]
    if not run.spec.classes or run.settings.get("coverage") is not None:
        notes.append(_("Without intervals and sets: the run's are of predictions that are not averaged."))
    return notes


def _compared(
    run: StoredRun, prepared: PreparedRows, output_NC: torch.Tensor, seen: SeenRows | None
) -> TargetComparison | None:
    y, rows_K = prepared.y, prepared.with_target
    if y is None or rows_K is None:
        return None
    compared_KC = output_NC[rows_K]
    weight = prepared.weight
    metrics, targets = _measured(run, compared_KC, y, weight), dict[str, Figures]()
    if len(run.by_target) > 1:
        parts = zip(run.by_target, run.loss_function.by_target(compared_KC, y), strict=True)
        targets = {one.preparation.target: _measured(one, *part, weight) for one, part in parts}
    if seen is None:
        return TargetComparison(len(compared_KC), metrics, None, targets=targets)
    others, (trained_K, every, again) = None, seen
    if trained_K.any() and not trained_K.all():
        weight = None if weight is None else weight[~trained_K]
        others = _measured(run, compared_KC[~trained_K], y[~trained_K], weight)
    return TargetComparison(len(compared_KC), metrics, int(trained_K.sum()), others, targets, every, again)


def _measured(
    run: StoredRun, output_NC: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None
) -> Figures:
    values = measure(
        output_NC[None], y, run.loss_function, run.preparation.scales, weight, threshold=run.threshold
    )
    return {k: finite(float(v[0])) for k, v in values.items()}


def reading_of(run: StoredRun) -> ReaderOptions:
    """Return ``reading_like`` for the run's data, with what each column holds."""
    reading = reading_like(run.spec.data)
    return replace(reading, forms=forms_of(run.preparation, reading))


def drift_of(run: StoredRun, source: Any) -> Drift:
    """Compare the columns of other rows with those of the run's training rows; see ``inspection.drift``.

    Raises:
        TreinoError: the source can't be read; the run learnt from pictures or arrays.
    """
    if not run.preparation.columns or is_pictures(source):
        raise NO_COLUMNS(run=run.name)
    reading = with_words_of_classes(run.preparation, reading_like(run.spec.data))
    return drift(read(source, reading, least_columns=1), run.preparation, run.name)


def _covered(
    run: StoredRun, source: Any, prepared: PreparedRows, answers: Sequence[_Answer]
) -> dict[str, Coverage]:
    """Return how far each target's coverage can be trusted, from rows with known targets new to the run."""
    covered: dict[str, Coverage] = {}
    if all(answer.scores is None for answer in answers):
        return covered
    seen, y, weight = seen_rows(run, prepared, "train", "validation"), prepared.y, prepared.weight
    if (
        run.judged is not None and run.judged.spec.data.files
    ):  # some rows that scores are of may be among these
        seen = None
    new_K = None if seen is None else ~seen.seen_K
    rows_K = new_K if new_K is None or weight is None else new_K & (weight > 0)
    weight_N = None if rows_K is None or weight is None else weight[rows_K].double().numpy()
    group = None
    try:
        group = None if rows_K is None else row_groups(run, source, prepared, rows_K)
    except TreinoError:  # without the column of groups it isn't known for how many the rows count
        rows_K = None
    for number, answer in enumerate(answers):
        one, scores, held = answer.run, answer.scores, answer.held
        if scores is None or held is None:
            continue
        classes, folds = len(one.spec.classes), scores.folds is not None
        size = float(held.sum(1).mean()) if classes and len(held) else None
        rows, spread = scores.scores.rows, scores.scores.spread(scores.level)
        worth = Coverage(scores.level, rows, spread, size, classes, folds)
        if rows_K is not None and y is not None and prepared.with_target is not None:
            own_N = (y if y.dim() > 1 else y[:, None])[rows_K][:, number].numpy()
            held_N = _holds(one, held[prepared.with_target[rows_K].numpy()], own_N)
            worth = compared_with(worth, held_N, weight_N, group)
        covered[one.preparation.target if len(answers) > 1 else ""] = worth
    return covered


def _holds(run: StoredRun, held: np.ndarray, y_N: np.ndarray) -> np.ndarray:
    """``[N]``: whether intervals or sets contain these targets."""
    if run.spec.classes:
        return np.take_along_axis(held, y_N[:, None], axis=1)[:, 0]
    true_N = run.preparation.values(y_N.astype(np.float64))
    return np.asarray((held[:, 0] <= true_N) & (true_N <= held[:, 1]))


def predict_like(
    run: StoredRun, source: Any, *, coverage: float | None = None, tta: bool = False, skip_bad: int = 0
) -> Any:
    """Predictions in the source's type: for a pandas (with its index) or polars frame or a pyarrow table, one
    with ``prediction``, a column for each class, and intervals or sets (lists), or such columns for each
    target (``prediction_NAME``); for arrays, files, pictures and names, an array ``[N]`` or ``[N, K]``. Warns
    about classes that no training row had, and of pictures that were left out. Other parameters: as for
    ``predict``.

    Raises:
        TreinoError: as ``predict``; a coverage is given, but the result would be an array.
    """
    run = run.refit or run
    if isinstance(source, torch.Tensor) or (isinstance(source, list) and not is_pictures(source)):
        source = array_of(source, "X")
    views, skip_bad = _options(run, coverage, tta, skip_bad)
    kind = type(source)
    named = kind.__module__.split(".")[0], kind.__name__
    framed = named in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"))
    if coverage is not None and not framed:
        raise COVERAGE_OF_ARRAY(kind=kind.__name__, coverage=str(coverage))
    known = [coverage_scores(one, coverage) if framed and not views else None for one in run.by_target]
    prepared, _output_NC, each = _answers(run, source, known, views, skip_bad)
    if prepared.unseen:
        warnings.warn(prepared.unseen, UserWarning, stacklevel=3)
    if skip_bad and prepared.notes:  # an array has no room for which are left out
        warnings.warn(" ".join(prepared.notes), UserWarning, stacklevel=3)
    columns: dict[tuple[str, ...], list[Any] | np.ndarray] = {}
    answers: list[np.ndarray] = []
    for answer in each:
        one, values, p_NC, held = answer.run, answer.values, answer.p_NC, answer.held
        name = () if len(each) == 1 else (one.preparation.target,)
        if p_NC is not None:
            labels = [one.preparation.label(label) for label in one.spec.classes]
            values = [None if value is None else one.preparation.label(value) for value in values]
            columns |= {("prediction", *name): values}
            columns |= {("probability", *name, c): p_NC[:, i] for i, c in enumerate(one.spec.classes)}
            if held is not None:
                columns["set", *name] = [[labels[c] for c in some] for some in sorted_sets(held, p_NC)]
        else:
            columns["prediction", *name] = values
            columns |= {(what, *name): each_N for what, each_N in answer.further.items()}
            if held is not None:
                columns |= {("low", *name): held[:, 0], ("high", *name): held[:, 1]}
        if shape := one.preparation.target_shape:
            values = [np.full(shape, None).tolist() if value is None else value for value in values]
        answers.append(np.asarray(values))
    if framed:
        named_columns = dict(zip(column_names([*columns]), columns.values(), strict=True))
        if named[0] == "pandas":
            return kind(named_columns, index=source.index)
        return kind(named_columns) if named[0] == "polars" else kind.from_pydict(named_columns)
    if len(answers) == 1:
        return answers[0]
    alike = len({answer.dtype.kind for answer in answers}) == 1
    return np.stack(answers if alike else [answer.astype(object) for answer in answers], 1)
