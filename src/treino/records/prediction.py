"""Predictions of a run for new rows, prepared with the preparation of its training rows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import torch

from treino.data import PreparedRows, rows_for_prediction
from treino.data.loader import as_reading
from treino.data.photographs.new_pictures import is_pictures
from treino.data.readers import ReaderOptions
from treino.documents.data import DataSource
from treino.engine.ensemble import mean_output
from treino.engine.metrics import measure
from treino.errors import TreinoError
from treino.inspection.conformal import Coverage, compared_with, coverage_of, sorted_sets
from treino.inspection.input_planes import ALL, Split
from treino.inspection.outputs import outputs, probabilities
from treino.inspection.picture_views import PictureView, outputs_of_views, views_of
from treino.records.coverage import CoverageScores, coverage_scores
from treino.records.stored_run import StoredRun
from treino.words import _

HASHED = 1024  # rows whose inputs are in memory while they are compared with training rows
Figures = dict[str, float | None]
"""Metrics by name; None if not finite."""


@dataclass(frozen=True)
class Prediction:
    """A row's class and the probability of each class, or a number in the target's own units.

    row: its number in the source, from 0. value: None if the network's output is not finite. interval: the
    number's prediction interval (low, high). class_set: the classes that can't be ruled out, the most
    probable first. Both: None: none. file: the picture's; "" of other rows. fold: the number, from 1, of the
    fold whose networks predict it, of out-of-fold predictions.
    """

    row: int
    value: str | float | None
    probabilities: Figures | None = None
    interval: tuple[float, float] | None = None
    class_set: tuple[str, ...] | None = None
    file: str = ""
    fold: int | None = None

    def to_json(self) -> dict[str, Any]:
        more: dict[str, Any] = {} if self.probabilities is None else {"probabilities": self.probabilities}
        if self.interval is not None:
            more |= {"low": self.interval[0], "high": self.interval[1]}
        if self.class_set is not None:
            more["set"] = list(self.class_set)
        named = {"file": self.file} if self.file else {}
        return {"row": self.row, **named, "prediction": self.value} | more


@dataclass(frozen=True)
class TargetComparison:
    """Metrics on the rows with a known target. training_rows: how many of them were trained on; None if
    unknown. other_metrics: metrics on the rows not trained on, if the rows are mixed."""

    rows_compared: int
    metrics: Figures
    training_rows: int | None
    other_metrics: Figures | None = None

    def to_json(self) -> dict[str, Any]:
        fields = vars(self).copy()
        if self.other_metrics is None:
            del fields["other_metrics"]
        return fields


@dataclass(frozen=True)
class Predictions:
    """A network's predictions for a source. missing, unknown: the number of cells of each column without a
    value, or with a class that no training row had. comparison: None without known targets. prepared: the
    predicted rows, in the same order. coverage: of the intervals or sets; None: there are none."""

    each: tuple[Prediction, ...]
    notes: tuple[str, ...]
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    comparison: TargetComparison | None
    prepared: PreparedRows
    coverage: Coverage | None = None

    def to_json(self) -> dict[str, Any]:
        """The ``predict`` document without ``path``."""
        covered = {} if self.coverage is None else {"coverage": self.coverage.to_json()}
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

    coverage: of the intervals or sets; default: of numbers the run's, of classes the run's if it asked for
    one. tta: average over shifted views of each picture, mirrored too if the run was trained so. skip_bad:
    the most pictures that may be left out as unreadable.

    Raises TreinoError if the source can't be read, or lacks columns that the run needs; if the run's
    validation rows can't give the coverage.
    """
    views = _views(run) if tta else ()
    known = None if views else coverage_scores(run, coverage)
    prepared, output_KNC = _answered(run, source, views, skip_bad)
    output_NC = _mean(run, output_KNC)
    held = None if known is None else known.held(run, prepared.x, output_KNC)
    each = _each(run, prepared, output_NC, held)
    notes = (*run.folder.notices, *prepared.notes, *_view_notes(run, views), *unanswered_notes(each))
    compared = _compared(run, prepared, output_NC, _among(run, prepared, "train"))
    covered = None
    if known is not None and held is not None:
        seen_K = _among(run, prepared, "train", "validation")
        covered = _covered(run, prepared, known, held, None if seen_K is None else ~seen_K)
    return Predictions(each, notes, prepared.missing, prepared.unknown, compared, prepared, covered)


def _views(run: StoredRun) -> tuple[PictureView, ...]:
    """The views of each picture over which predictions are averaged."""
    shape = run.preparation.item_shape
    if run.preparation.kind != "image" or len(shape) not in (2, 3):
        raise TreinoError(
            "tta_of_table",
            _("Predictions are averaged over shifted pictures, and {run} learnt from other rows.").format(
                run=run.name
            ),
            _("Leave [[tta]] out."),
        )
    return views_of(shape, mirrored=bool(run.settings.get("flip")))


def _answered(
    run: StoredRun, source: Any, views: Sequence[PictureView], skip_bad: int
) -> tuple[PreparedRows, torch.Tensor]:
    """The rows as the run's preparation makes them, and ``[K, N, C]``: the outputs for them of the run and of
    all that predict with it."""
    prepared = rows_for_prediction(source, run.preparation, reading_of(run), skip_bad)
    each, mean, scale = [_outputs(run, prepared, views)], run.spec.target_mean, run.spec.target_scale
    for other in run.others:
        rows = rows_for_prediction(source, other.preparation, reading_of(other), skip_bad)
        other_NC = _outputs(other, rows, views)
        if not run.spec.classes:  # each has a mean and a deviation of its own training rows
            other_NC = (other_NC * other.spec.target_scale + other.spec.target_mean - mean) / scale
        each.append(other_NC)
    return prepared, torch.stack(each)


def _mean(run: StoredRun, output_KNC: torch.Tensor) -> torch.Tensor:
    return mean_output(output_KNC, run.settings["loss"]) if run.others else output_KNC[0]


def _outputs(run: StoredRun, prepared: PreparedRows, views: Sequence[PictureView]) -> torch.Tensor:
    if not views:
        return outputs(run.module, prepared.x, item_shape=run.item_shape)
    loss, shape = run.settings["loss"], run.preparation.item_shape
    return outputs_of_views(run.module, prepared.x, shape, views, loss, run.item_shape)


def _view_notes(run: StoredRun, views: Sequence[PictureView]) -> list[str]:
    if not views:
        return []
    far = max(view.down for view in views)
    sentence = (
        _("Averaged over {n} views of each picture: moved by up to {far} px, and mirrored.")
        if any(view.mirrored for view in views)
        else _("Averaged over {n} views of each picture: moved by up to {far} px.")
    )
    notes = [sentence.format(n=len(views), far=far)]
    if not run.spec.classes or run.settings.get("coverage") is not None:
        notes.append(_("Without intervals: those of the run are of predictions that are not averaged."))
    return notes


def _compared(
    run: StoredRun, prepared: PreparedRows, output_NC: torch.Tensor, trained_K: torch.Tensor | None
) -> TargetComparison | None:
    y, rows_K = prepared.y, prepared.with_target
    if y is None or rows_K is None:
        return None
    compared_KC = output_NC[rows_K]
    weight = prepared.weight
    metrics = _measured(run, compared_KC, y, weight)
    if trained_K is None:
        return TargetComparison(len(compared_KC), metrics, None)
    others = None
    if trained_K.any() and not trained_K.all():
        weight = None if weight is None else weight[~trained_K]
        others = _measured(run, compared_KC[~trained_K], y[~trained_K], weight)
    return TargetComparison(len(compared_KC), metrics, int(trained_K.sum()), others)


def _measured(
    run: StoredRun, output_NC: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None
) -> Figures:
    values = measure(output_NC[None], y, run.loss_function, run.spec.target_scale, weight)
    return {k: finite(float(v[0])) for k, v in values.items()}


def _among(run: StoredRun, prepared: PreparedRows, *splits: Split) -> torch.Tensor | None:
    """``[K]`` bool: which rows of known target are rows of these splits, by a hash of inputs and target.
    None: unknown."""
    y, rows_K = prepared.y, prepared.with_target
    if y is None or rows_K is None:
        return None
    try:
        data = run.data
    except TreinoError:  # the file is gone or changed, or not stored: predictions don't need it
        return None
    known = set[bytes]()
    for split in ALL if run.others else splits:  # what tests one fold trains the others
        rows = data.splits[split]
        if len(rows) != run.spec.facts.rows[split]:
            return None  # only a sample of rows not in memory
        known |= set(_hashes(rows.x, torch.arange(len(rows)), rows.y))
    return torch.tensor([each in known for each in _hashes(prepared.x, rows_K, y)], dtype=torch.bool)


def _hashes(x_ND: Any, rows_K: torch.Tensor, y: torch.Tensor) -> Iterator[bytes]:
    """A hash of the inputs and the target of each of these rows. y: their targets. x_ND: of all rows, perhaps
    outside memory."""
    target_K = y.reshape(len(y), -1).numpy()
    for part, target_B in zip(
        rows_K.split(HASHED), np.split(target_K, range(HASHED, len(y), HASHED)), strict=True
    ):
        for row, target in zip(x_ND[part].flatten(1).numpy(), target_B, strict=True):
            yield blake2b(row.tobytes() + target.tobytes(), digest_size=16).digest()


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def unanswered_notes(predictions: Sequence[Prediction]) -> list[str]:
    """A note if some rows have no prediction."""
    without = sum(p.value is None for p in predictions)
    if not without:
        return []
    return [
        _("The network's output is not finite in {n:,} of {of:,} rows: they have no prediction.").format(
            n=without, of=len(predictions)
        )
    ]


def reading_of(run: StoredRun) -> ReaderOptions:
    """As ``reading_like`` the run's data."""
    return reading_like(run.spec.data)


def reading_like(data: DataSource) -> ReaderOptions:
    """The file format of new rows: options set in training stay; other options are detected again and, if the
    new rows are ambiguous, are those detected in the training rows. Missing-value words are always the
    training rows' words."""
    stated, written = (
        None if reading is None else as_reading(reading.model_dump())
        for reading in (data.load.reading, data.written)
    )
    nothing = written.missing if written and written.missing else ()
    return replace(stated or ReaderOptions(), like=written, missing=nothing)


def _values(run: StoredRun, output_NC: torch.Tensor) -> tuple[list[Any], np.ndarray | None]:
    """Return predictions (None if an output is NaN), and probabilities ``[N, C]`` of a classification."""
    s = run.spec
    if s.classes:
        p_NC = probabilities(output_NC).double().cpu().numpy()
        winner_N, known_N = winners(run, p_NC), np.isfinite(p_NC).all(1)
        return [s.classes[c] if k else None for c, k in zip(winner_N, known_N, strict=True)], p_NC
    values = output_NC[:, 0].double() * s.target_scale + s.target_mean
    return values.tolist(), None


def winners(run: StoredRun, p_NC: np.ndarray) -> np.ndarray:
    """``[N]``: the predicted class numbers: the most probable, or by the run's threshold."""
    known = run.result.threshold if run.result is not None else None
    return p_NC.argmax(1) if known is None else (p_NC[:, 1] >= known.value).astype(int)


def _each(
    run: StoredRun, prepared: PreparedRows, output_NC: torch.Tensor, held: np.ndarray | None
) -> tuple[Prediction, ...]:
    """held: of numbers the ends of their intervals, of classes which are in their sets; None: neither."""
    values, p_NC = _values(run, output_NC)
    rows, names = prepared.index.tolist(), prepared.names or ("",) * len(prepared)
    if p_NC is None:
        end_N = [None] * len(rows) if held is None else held.tolist()
        return tuple(
            Prediction(
                row,
                finite(value),
                interval=None if end is None or not math.isfinite(value) else tuple(end),
                file=name,
            )
            for row, value, end, name in zip(rows, values, end_N, names, strict=True)
        )
    classes = run.spec.classes
    sets = [None] * len(rows) if held is None else sorted_sets(held, p_NC)
    return tuple(
        Prediction(
            row,
            value,
            dict(zip(classes, map(finite, p_C), strict=True)),
            class_set=None if places is None or value is None else tuple(classes[c] for c in places),
            file=name,
        )
        for row, value, p_C, places, name in zip(rows, values, p_NC.tolist(), sets, names, strict=True)
    )


def _covered(
    run: StoredRun,
    prepared: PreparedRows,
    known: CoverageScores,
    held: np.ndarray,
    rows_K: torch.Tensor | None,
) -> Coverage:
    """What the coverage is worth on the rows of known target that the run has not seen: ``rows_K``."""
    classes = len(run.spec.classes)
    size = float(held.sum(1).mean()) if classes and len(held) else None
    plain = coverage_of(known.scores, known.level, size=size, classes=classes, folds=known.folds is not None)
    if rows_K is None or prepared.y is None or prepared.with_target is None:
        return plain
    weight = prepared.weight
    rows_K = rows_K if weight is None else rows_K & (weight > 0)
    y, held = prepared.y[rows_K].numpy(), held[prepared.with_target[rows_K].numpy()]
    if classes:
        held_N = np.take_along_axis(held, y[:, None], axis=1)[:, 0]
    else:
        true_N = y[:, 0].astype(np.float64) * run.spec.target_scale + run.spec.target_mean
        held_N = (held[:, 0] <= true_N) & (true_N <= held[:, 1])
    return compared_with(plain, held_N, None if weight is None else weight[rows_K].double().numpy())


def predict_like(
    run: StoredRun, source: Any, *, coverage: float | None = None, tta: bool = False, skip_bad: int = 0
) -> Any:
    """Predictions in the source's type: for a pandas (with its index) or polars frame or a pyarrow table, one
    with ``prediction``, a column for each class, and intervals or sets (lists); for arrays, files, pictures
    and names, an array ``[N]``. Other parameters: as of ``predict``.

    Raises:
        TreinoError: as ``predict``; a coverage of what gives an array.
    """
    if isinstance(source, torch.Tensor) or (isinstance(source, list) and not is_pictures(source)):
        source = np.asarray(source)
    views = _views(run) if tta else ()
    kind = type(source)
    named = kind.__module__.split(".")[0], kind.__name__
    framed = named in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"))
    if coverage is not None and not framed:
        raise TreinoError(
            "coverage_of_array",
            _("Of {kind} predictions are an array, without room for intervals or sets.").format(
                kind=kind.__name__
            ),
            _("Give a frame, or ask for a file: treino predict RUN DATA [[coverage={coverage}]]").format(
                coverage=str(coverage)
            ),
        )
    known = coverage_scores(run, coverage) if framed and not views else None
    prepared, output_KNC = _answered(run, source, views, skip_bad)
    values, p_NC = _values(run, _mean(run, output_KNC))
    columns: dict[str, list[Any] | np.ndarray] = {"prediction": values}
    if p_NC is not None:
        labels = [run.preparation.label(name) for name in run.spec.classes]
        columns["prediction"] = [None if name is None else run.preparation.label(name) for name in values]
        columns |= {f"probability_{name}": p_NC[:, i] for i, name in enumerate(run.spec.classes)}
    if known is not None:
        held = known.held(run, prepared.x, output_KNC)
        if p_NC is None:
            columns |= {"low": held[:, 0], "high": held[:, 1]}
        else:
            columns["set"] = [[labels[c] for c in places] for places in sorted_sets(held, p_NC)]
    if named[0] == "pandas" and framed:
        return kind(columns, index=source.index)
    if framed:
        return kind(columns) if named[0] == "polars" else kind.from_pydict(columns)
    return np.asarray(columns["prediction"])
