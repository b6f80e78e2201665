"""Predictions of a run for new rows, prepared with the preparation of its training rows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from treino.inspection.calibration import IntervalRule, members_spread
from treino.inspection.outputs import outputs, probabilities
from treino.inspection.picture_views import PictureView, outputs_of_views, views_of
from treino.records.stored_run import StoredRun
from treino.words import _

HASHED = 1024  # rows whose inputs are in memory while they are compared with training rows
Figures = dict[str, float | None]
"""Metrics by name; None if not finite."""


@dataclass(frozen=True)
class Prediction:
    """A row's class and the probability of each class, or a number in the target's own units.

    row: its number in the source, from 0. value: None if the network's output is not finite. interval: the
    number's prediction interval (low, high) at the level of the run's ``prediction_intervals``; None: none.
    file: the picture's; "" of other rows. fold: the number, from 1, of the fold whose networks predict it, of
    out-of-fold predictions. targets: of several targets, the prediction of each by its name; ``value`` is
    then None.
    """

    row: int
    value: str | float | None
    probabilities: Figures | None = None
    interval: tuple[float, float] | None = None
    file: str = ""
    fold: int | None = None
    targets: Mapping[str, "Prediction"] = field(default_factory=dict)

    @property
    def by_target(self) -> Mapping[str, "Prediction"]:
        """The prediction of each target by what is added to its columns' names; of one target, itself."""
        return {f"_{name}": own for name, own in self.targets.items()} or {"": self}

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
        named = {"file": self.file} if self.file else {}
        return {"row": self.row, **named, "prediction": self.value} | more


@dataclass(frozen=True)
class TargetComparison:
    """Metrics on the rows with a known target. training_rows: how many of them were trained on; None if
    unknown. other_metrics: metrics on the rows not trained on, if the rows are mixed. targets: of several
    targets, the metrics of each by its name."""

    rows_compared: int
    metrics: Figures
    training_rows: int | None
    other_metrics: Figures | None = None
    targets: Mapping[str, Figures] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        fields = vars(self).copy()
        if not self.targets:
            del fields["targets"]
        if self.other_metrics is None:
            del fields["other_metrics"]
        return fields


@dataclass(frozen=True)
class Predictions:
    """A network's predictions for a source. missing, unknown: the number of cells of each column without a
    value, or with a class that no training row had. comparison: None without known targets. prepared: the
    predicted rows, in the same order."""

    each: tuple[Prediction, ...]
    notes: tuple[str, ...]
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    comparison: TargetComparison | None
    prepared: PreparedRows

    def to_json(self) -> dict[str, Any]:
        """The ``predict`` document without ``path``."""
        return {
            "rows": len(self.each),
            "predictions": [prediction.to_json() for prediction in self.each],
            "notes": list(self.notes),
            "missing": dict(self.missing),
            "unknown": dict(self.unknown),
        } | ({} if self.comparison is None else self.comparison.to_json())


def predict(run: StoredRun, source: Any, *, tta: bool = False, skip_bad: int = 0) -> Predictions:
    """Predict a source's rows, and compare the predictions with the targets, if known.

    tta: average over shifted views of each picture, mirrored too if the run was trained so. skip_bad: the
    most pictures that may be left out as unreadable.

    Raises TreinoError if the source can't be read, or lacks columns that the run needs.
    """
    views = _views(run) if tta else ()
    prepared, output_NC = _answered(run, source, views, skip_bad)
    each = _each(run, prepared, output_NC, views) if len(run.by_target) == 1 else ()
    if not each:
        parts = zip(run.by_target, run.preparation.output_parts, strict=True)
        columns = [_each(one, prepared, output_NC[:, part], views) for one, part in parts]
        names = [one.target for one in run.preparation.by_target]
        each = tuple(
            Prediction(row[0].row, None, targets=dict(zip(names, row, strict=True)))
            for row in zip(*columns, strict=True)
        )
    notes = (*run.folder.notices, *prepared.notes, *_view_notes(run, views), *unanswered_notes(each))
    compared = _compared(run, prepared, output_NC)
    return Predictions(each, notes, prepared.missing, prepared.unknown, compared, prepared)


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
    """The rows as the run's preparation makes them, and the outputs for them: the run's, or the mean of all
    that predict with it."""
    prepared = rows_for_prediction(source, run.preparation, reading_of(run), skip_bad)
    output_NC = _outputs(run, prepared, views)
    if not run.others:
        return prepared, output_NC
    each, (mean_K, scale_K) = [output_NC], _units(run, output_NC)
    for other in run.others:
        rows = rows_for_prediction(source, other.preparation, reading_of(other), skip_bad)
        other_NC = _outputs(other, rows, views)
        if not run.spec.classes:  # each has a mean and a deviation of its own training rows
            own_mean_K, own_scale_K = _units(other, output_NC)
            other_NC = (other_NC * own_scale_K + own_mean_K - mean_K) / scale_K
        each.append(other_NC)
    return prepared, mean_output(torch.stack(each), run.loss_function)


def _units(run: StoredRun, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``[K]`` each: the mean and the deviation of each target."""
    pairs = [(one.spec.target_mean, one.spec.target_scale) for one in run.by_target]
    mean_K, scale_K = like.new_tensor(pairs).T
    return mean_K, scale_K


def _outputs(run: StoredRun, prepared: PreparedRows, views: Sequence[PictureView]) -> torch.Tensor:
    if not views:
        return outputs(run.module, prepared.x, item_shape=run.item_shape)
    loss, shape = run.loss_function, run.preparation.item_shape
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
    if run.result is not None and run.result.prediction_intervals is not None:
        notes.append(_("Without intervals: those of the run are of predictions that are not averaged."))
    return notes


def _compared(run: StoredRun, prepared: PreparedRows, output_NC: torch.Tensor) -> TargetComparison | None:
    y, rows_K = prepared.y, prepared.with_target
    if y is None or rows_K is None:
        return None
    compared_KC = output_NC[rows_K]
    weight = prepared.weight
    metrics, targets = _measured(run, compared_KC, y, weight), dict[str, Figures]()
    if len(run.by_target) > 1:
        parts = zip(run.by_target, run.loss_function.by_target(compared_KC, y), strict=True)
        targets = {one.preparation.target: _measured(one, *part, weight) for one, part in parts}
    trained_K = _trained_on(run, prepared.x, rows_K, y)
    if trained_K is None:
        return TargetComparison(len(compared_KC), metrics, None, targets=targets)
    others = None
    if trained_K.any() and not trained_K.all():
        weight = None if weight is None else weight[~trained_K]
        others = _measured(run, compared_KC[~trained_K], y[~trained_K], weight)
    return TargetComparison(len(compared_KC), metrics, int(trained_K.sum()), others, targets)


def _measured(
    run: StoredRun, output_NC: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None
) -> Figures:
    values = measure(output_NC[None], y, run.loss_function, run.preparation.scales, weight)
    return {k: finite(float(v[0])) for k, v in values.items()}


def _trained_on(run: StoredRun, x_ND: Any, rows_K: torch.Tensor, y: torch.Tensor) -> torch.Tensor | None:
    """``[K]`` bool: which rows are training rows, by a hash of inputs and target; None: unknown."""
    try:
        data = run.data
    except TreinoError:  # the file is gone or changed, or not stored: predictions don't need it
        return None
    if len(data.train) != run.spec.facts.rows["train"]:
        return None  # only a sample of rows not in memory
    parts = data.splits.values() if run.others else (data.train,)  # what tests one fold trains the others
    trained = {row for rows in parts for row in _hashes(rows.x, torch.arange(len(rows)), rows.y)}
    return torch.tensor([each in trained for each in _hashes(x_ND, rows_K, y)], dtype=torch.bool)


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
    without = sum(p.unanswered for p in predictions)
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
    run: StoredRun, prepared: PreparedRows, output_NC: torch.Tensor, views: Sequence[PictureView]
) -> tuple[Prediction, ...]:
    values, p_NC = _values(run, output_NC)
    rows, names = prepared.index.tolist(), prepared.names or ("",) * len(prepared)
    if p_NC is None:
        ends = None if views else intervals_of(run, prepared.x, np.array(values))
        end_N = [None] * len(rows) if ends is None else ends.tolist()
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
    return tuple(
        Prediction(row, value, dict(zip(classes, map(finite, p_C), strict=True)), file=name)
        for row, value, p_C, name in zip(rows, values, p_NC.tolist(), names, strict=True)
    )


def intervals_of(run: StoredRun, x_ND: Any, value_N: np.ndarray) -> np.ndarray | None:
    """``[N, 2]``: the prediction interval of each number; None if the run has no intervals."""
    known = run.result.prediction_intervals if run.result is not None else None
    if known is None:
        return None
    rule = IntervalRule(known.level, known.quantile, known.offset)
    spread_N = members_spread(run.module, x_ND, run.spec.target_scale, run.item_shape)
    half_N = rule.half_widths(spread_N, len(value_N))
    return np.stack([value_N - half_N, value_N + half_N], 1)


def predict_like(run: StoredRun, source: Any, *, tta: bool = False, skip_bad: int = 0) -> Any:
    """Predictions in the source's type: for a pandas (with its index) or polars frame or a pyarrow table, one
    with ``prediction`` and a column for each class, or such columns for each target (``prediction_NAME``);
    for arrays, files, pictures and names, an array ``[N]`` or ``[N, K]``. Other parameters: as of
    ``predict``."""
    if isinstance(source, torch.Tensor) or (isinstance(source, list) and not is_pictures(source)):
        source = np.asarray(source)
    views = _views(run) if tta else ()
    prepared, output_NC = _answered(run, source, views, skip_bad)
    columns: dict[str, list[Any] | np.ndarray] = {}
    answers: list[np.ndarray] = []
    for one, part in zip(run.by_target, run.preparation.output_parts, strict=True):
        values, p_NC = _values(one, output_NC[:, part])
        if p_NC is not None:
            values = [None if name is None else one.preparation.label(name) for name in values]
        name = "" if len(run.by_target) == 1 else f"_{one.preparation.target}"
        columns[f"prediction{name}"] = values
        if p_NC is not None:
            columns |= {f"probability{name}_{c}": p_NC[:, i] for i, c in enumerate(one.spec.classes)}
        elif not views and (ends := intervals_of(one, prepared.x, np.array(values))) is not None:
            columns |= {f"low{name}": ends[:, 0], f"high{name}": ends[:, 1]}
        answers.append(np.asarray(values))
    kind = type(source)
    if (kind.__module__.split(".")[0], kind.__name__) == ("pandas", "DataFrame"):
        return kind(columns, index=source.index)
    if (kind.__module__.split(".")[0], kind.__name__) == ("polars", "DataFrame"):
        return kind(columns)
    if (kind.__module__.split(".")[0], kind.__name__) == ("pyarrow", "Table"):
        return kind.from_pydict(columns)
    if len(answers) == 1:
        return answers[0]
    alike = len({answer.dtype.kind for answer in answers}) == 1
    return np.stack(answers if alike else [answer.astype(object) for answer in answers], 1)
