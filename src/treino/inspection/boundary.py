"""Decision boundary: the network's outputs over a grid of its inputs.

Two inputs are shown completely. With more inputs, the grid is a plane through the training medians, and the
share of rows with the same prediction on the plane is given. For pixels, the plane is spanned by the first
two principal components.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from torch import nn

from treino.base.errors import Refusal, nearest
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.devices import torch_threads
from treino.engine.metrics import probabilities
from treino.inspection.feature_importance import CANDIDATES, importance, steepest
from treino.inspection.input_planes import (
    ALL,
    Boundary,
    Cell,
    Fit,
    Floats,
    InputAxes,
    InputLine,
    Plane,
    Points,
    Score,
    Split,
    View,
    cells_from,
    draw,
    held_out,
    most_rows,
    refuse_axes,
)
from treino.inspection.intervals import weighted_accuracy
from treino.inspection.outputs import has_answer, outputs, predicted_classes

Pair = tuple[int, int]
MOST = 12  # columns whose pairs are compared
SAME = 1e-6  # 1 − r² of columns that count as one
CLEARLY = 0.05  # in agreement
CLOSE = 0.6  # a plane that agrees with the network on fewer rows shows little of it


def by_separation(x_NK: Floats, y_N: Floats, classes: int) -> list[Pair]:
    """Pairs of columns, the best first: by the smallest Wilks' lambda, the share of their spread that the
    classes don't explain; for a number (``classes`` 0) by the largest R² of a linear fit."""
    unit_NK = _unit(x_NK)
    if classes:
        told_NC = (y_N[:, None] == np.arange(classes)).astype(float)
        told_NC /= np.sqrt(np.maximum(told_NC.sum(axis=0), 1))
    else:
        told_NC = _unit(y_N.reshape(-1, 1))
    mean_KC = unit_NK.T @ told_NC
    order_J = np.argsort(-(mean_KC**2).sum(axis=1), kind="stable")[:MOST]
    unit_NJ, mean_JC = unit_NK[:, order_J], mean_KC[order_J]
    r_JJ, between_JJ = unit_NJ.T @ unit_NJ, mean_JC @ mean_JC.T
    alone_J, order = np.diag(between_JJ), order_J.tolist()

    def left(pair: Pair) -> float:
        i, j = map(order.index, pair)
        total = 1 - r_JJ[i, j] ** 2
        if total < SAME:
            return np.inf
        return float(((1 - alone_J[i]) * (1 - alone_J[j]) - (r_JJ[i, j] - between_JJ[i, j]) ** 2) / total)

    return sorted(combinations(order, 2), key=left)


def _unit(x_NK: Floats) -> Floats:
    """Shift each column to mean 0 and scale it to length 1; a constant column becomes 0."""
    away_NK = x_NK - x_NK.mean(axis=0)
    length_K = np.linalg.norm(away_NK, axis=0)
    still_K = length_K <= 1e-12 * np.sqrt(len(x_NK)) * np.abs(x_NK).max(axis=0, initial=0)
    return np.asarray(np.where(still_K, 0, away_NK / np.where(still_K, 1, length_K)))


def by_agreement(
    pairs: Iterable[Pair],
    own_N: Floats,
    there: Callable[[Pair], Floats],
    classes: int,
    kept: Sequence[int] = (),
) -> Pair:
    """The pair on whose plane the predictions are most like the network's own; the first one if several tie.

    own_N: the network's predictions for some rows; there: its predictions at their places on the plane. Each
    class that it predicts counts alike, or else a plane with only the commonest would be good. kept: two
    columns that stay unless others are clearly better.
    """
    best, most = (0, 1), -np.inf
    groups = [own_N == c for c in np.unique(own_N)] if classes else []
    for pair in pairs:
        said_N = there(pair)
        if classes:
            like = float(np.mean([(said_N[group_N] == own_N[group_N]).mean() for group_N in groups]))
        else:
            with np.errstate(all="ignore"):  # a diverged network's outputs may not be finite
                like = -float(np.mean((said_N - own_N) ** 2))
        if set(pair) == set(kept):
            like += CLEARLY
        if like > most + 1e-9:
            best, most = pair, like
    return best


def candidates(
    separating: Sequence[Pair], important: Sequence[int], columns: int, most: int = MOST
) -> list[Pair]:
    """The pairs to compare: all of a few columns, else those of the columns that matter most to the network
    and of those that separate best; in the order of how well they separate."""
    if columns <= most:
        chosen = list(range(columns))
    else:
        alone = list(dict.fromkeys(k for pair in separating for k in pair))
        chosen = list(dict.fromkeys([*important[: most // 2], *alone]))[:most]
    every: list[Pair] = [pair for pair in separating if set(pair) <= set(chosen)]
    return [*every, *(p for p in combinations(chosen, 2) if p not in every and p[::-1] not in every)]


AXES_MEANINGLESS = Refusal(
    "Axes {axes} were asked for, but the picture of this run has none to choose.",
    "Only a classifier with two inputs or more is drawn over two of them; leave the axes out.",
)
AXES_TWO = Refusal(
    "The picture has two axes, but got: {axes}.", "Name two different features, for example {a},{b}."
)
AXES_UNKNOWN = Refusal("There is no feature '{name}' to use as an axis.", "{hint}")
AXES_CLASSES = Refusal("'{name}' is a column of classes, which is no axis.", "Columns that are: {names}.")

# ---- decision boundary

Predict = Callable[[torch.Tensor], torch.Tensor]

SHOWN = {"train": 1000, "validation": 300, "test": 300}  # maximum rows shown and compared; a seeded sample
STEEPEST = 20  # the number of columns that are shuffled if there are more than CANDIDATES
MEASURED = 1000  # maximum number of training rows for the principal components
COMPARED = 300  # the same for the choice of the two axes
WIDE = 1000  # inputs, beyond which fewer columns and rows are compared
COARSEST = 40  # places along an axis of the plane of large pictures


def boundary(
    net: nn.Module,
    data: Data,
    *,
    axes: Sequence[str] | None = None,
    resolution: int = 200,
    item_shape: Sequence[int] | None = None,
    splits: Sequence[Split] = ALL,
    seen: InputAxes | None = None,
) -> Boundary:
    """Compute the picture of ``net``'s decision boundary or, for regression, of its predictions.

    axes: the two features of the plane; default: the choice described at ``InputAxes.view``.
    item_shape: as in ``outputs``, for a network whose input is an image instead of a flat row.
    splits: the splits to show, without ``test`` for a run that will be resumed.
    seen: the axes of another network's picture, in place of ``axes``, to draw both on the same plane.
    Raises TreinoError if axes are not two different features, or if this picture has no axes to choose.
    """

    def predict(x_ND: torch.Tensor) -> torch.Tensor:
        return outputs(net, x_ND, item_shape=item_shape)

    check_axes(axes, data)
    none = Rows(data.train.x[:0], data.train.y[:0], data.train.index[:0])
    unseen = {split: none for split in ("validation", "test") if split not in splits}
    data = replace(data, **unseen)  # type: ignore[arg-type]
    if len(data.features) == 1 and columns_with_an_axis(data):
        return _line(predict, data, resolution)
    if data.task == "regression":
        points = placed(predict, data, lambda x_ND: np.empty((len(x_ND), 0)))
        return Fit(data.name, data.target, points, score(predict, data))
    if data.kind == "image":  # as much work as for pictures of 28 × 28 pixels
        resolution = max(COARSEST, min(resolution, round(resolution * math.sqrt(784 / data.inputs))))
    plane = _plane(predict, data, resolution, seen or sight(net, data, axes=axes, item_shape=item_shape))
    if axes is not None and plane.agreement < CLOSE:
        return replace(plane, better=better_axes(net, data, plane.agreement, splits, item_shape))
    return plane


def better_axes(
    net: nn.Module,
    data: Data,
    agreement: float,
    splits: Sequence[Split],
    item_shape: Sequence[int] | None = None,
) -> tuple[tuple[str, str], float] | None:
    """Return the features of the plane that ``sight`` would choose, and the share of rows on which that plane
    agrees with the network; None if the share is no larger than ``agreement``, the plane in view's."""
    seen = sight(net, data, item_shape=item_shape)
    if seen.view != "important":
        return None
    drawn = [draw(data.splits[split], SHOWN[split]) for split in splits if len(data.splits[split])]
    pairs = [(seen.rows(seen.place(rows.x)), rows.x) for rows in drawn]
    same = [_answers(net, data, a, item_shape) == _answers(net, data, b, item_shape) for a, b in pairs]
    share = float(np.concatenate(same).mean())
    first, second = seen.columns
    return ((data.features[first], data.features[second]), share) if share > agreement else None


def sight(
    net: nn.Module,
    data: Data,
    *,
    axes: Sequence[str] | None = None,
    item_shape: Sequence[int] | None = None,
    trained: bool = True,
    kept: Sequence[int] = (),
) -> InputAxes:
    """The plane of the boundary's picture or, for a single column, its line.

    trained: whether the network's predictions can choose between many columns; else those that separate the
    classes best are taken. kept: features on the axes so far, which stay unless others are clearly better.

    Raises TreinoError if axes are not two different features.
    """
    refuse_axes(data)
    chosen: Sequence[int] | None = check_axes(axes, data)
    axes_K = columns_with_an_axis(data)
    rows = draw(data.train, COMPARED if data.inputs <= WIDE else COMPARED // 5)
    view: View = "given"
    if len(data.features) == 1 and axes_K:
        view, chosen = "all", (0,)
    elif chosen is None and (data.kind == "image" or len(axes_K) < 2):
        return _components(data)
    elif data.inputs == 2:
        view, chosen = "all", chosen or (0, 1)
    elif chosen is None:
        view = "important"
        both = len(data.features) == 2  # in the order in which they were asked for
        with torch_threads(1):  # waking threads costs more than they save on so little work
            chosen = axes_K if both else _chosen(net, data, rows, axes_K, item_shape, trained, kept)
    along, typical_D = tuple(chosen), typical_row(data)
    return InputAxes(
        view,
        "train",
        len(rows),
        tuple(_axis_name(data, j) for j in along),
        lambda x_ND: _places(data, x_ND, along),
        lambda at_NK: _rows_at(data, typical_D, along, at_NK),
        held=() if len(along) == len(data.features) else _fixed(data, typical_D, along),
        columns=along,
    )


def columns_with_an_axis(data: Data) -> tuple[int, ...]:
    """Indices of the features that can be an axis of a picture: numbers, ranks and dates, not classes."""
    programs = data.preparation.programs
    if not programs or data.inputs == 1:
        return tuple(range(len(data.features)))
    return tuple(j for j, program in enumerate(programs) if program.scaled)


def typical_row(data: Data) -> Floats:
    """``[D]`` raw inputs: the training median of each number, and the most frequent class."""
    own_ND = _own(data, data.train.x)
    typical_D = np.median(own_ND, axis=0)
    for program, group in zip(data.preparation.programs, data.preparation.groups, strict=False):
        of_classes = group[1:] if program.scaled else group
        if of_classes:  # also circles of dates and missing flags, whose median may be an impossible value
            inputs = np.round(own_ND[:, of_classes], 6)
            rows, count = np.unique(inputs, axis=0, return_counts=True)
            typical_D[list(of_classes)] = rows[count.argmax()]
    return typical_D


def _fixed(data: Data, typical_D: Floats, along: Sequence[int]) -> tuple[tuple[str, Cell], ...]:
    """The name of each column that is not an axis, and its value in the typical row."""
    preparation, values = data.preparation, list[tuple[str, Cell]]()
    for j, (name, group) in enumerate(zip(data.features, preparation.groups, strict=True)):
        program = preparation.programs[j] if preparation.programs else None
        known = program is None or program.reversible
        value = cells_from(program, typical_D[None, list(group)])[0] if known else None
        if j not in along:
            values.append((name, value))
    return tuple(values)


def _axis_name(data: Data, feature: int) -> str:
    return data.preparation.inputs[data.preparation.groups[feature][0]]


def _places(data: Data, x_ND: torch.Tensor, chosen: Sequence[int]) -> Floats:
    """``[N, K]``: the raw values of the chosen columns, each read from the column's first input."""
    groups = data.preparation.groups
    return _own(data, x_ND)[:, [groups[j][0] for j in chosen]]


def _rows_at(data: Data, typical_D: Floats, chosen: Sequence[int], at_NK: Floats) -> torch.Tensor:
    """Prepared rows with the given values in the chosen columns and typical values in all others."""
    row_ND = np.tile(typical_D, (len(at_NK), 1))
    for k, j in enumerate(chosen):
        group, made = data.preparation.groups[j], data.preparation.programs
        row_ND[:, group[0]] = at_NK[:, k]
        if made and made[j].flag:
            row_ND[:, group[-1]] = 0.0
    x_ND = data.preparation.transform(data.preparation.with_bins(row_ND))
    return torch.as_tensor(x_ND, dtype=data.train.x.dtype)


def _components(data: Data) -> InputAxes:
    rows = draw(data.train, most_rows(data, MEASURED))
    mean_D, axes_2D, variance = principal_components(rows.x.double().numpy())
    return InputAxes(
        "components",
        "train",
        len(rows),
        (_("first principal component"), _("second principal component")),
        lambda x_ND: (x_ND.double().numpy() - mean_D) @ axes_2D.T,
        lambda at_N2: torch.from_numpy(at_N2 @ axes_2D + mean_D).to(data.train.x.dtype),
        variance,
    )


def _plane(predict: Predict, data: Data, resolution: int, seen: InputAxes) -> Plane:
    points = placed(predict, data, seen.place)
    at_N2 = np.concatenate([p.at_NK for p in points])
    x_R, y_R = (grid(at_N2[:, k], resolution) for k in (0, 1))
    # in blocks, because a grid of 40,000 rows of 784 float64 takes 250 MB
    lines = np.array_split(y_R, max(1, resolution**2 // most_rows(data, 8192)))
    probability = torch.cat([probabilities(predict(seen.grid_rows(x_R, y_B))) for y_B in lines])
    answers = [_classes(predict(seen.rows(p.at_NK)), data) for p in points]
    agreed = np.concatenate([s == p.predicted_N for s, p in zip(answers, points, strict=True)])
    return Plane(
        data.name,
        data.classes,
        len(data.features),
        seen,
        x_R,
        y_R,
        probability.float().numpy().reshape(resolution, resolution, -1),
        points,
        float(agreed.mean()),
        len(agreed),
        score(predict, data),
        data.threshold,
    )


def _line(predict: Predict, data: Data, resolution: int) -> InputLine:
    points = placed(predict, data, lambda x_ND: _places(data, x_ND, (0,)))
    x_R = grid(np.concatenate([p.at_NK[:, 0] for p in points]), resolution)
    out = predict(_rows_at(data, typical_row(data), (0,), x_R[:, None]))
    value_RC = _numbers(out, data)[:, None] if not data.classes else probabilities(out).double().numpy()
    return InputLine(
        data.name,
        data.classes,
        _axis_name(data, 0),
        data.target,
        x_R,
        value_RC,
        points,
        score(predict, data),
        data.threshold,
    )


def grid(values: Floats, resolution: int) -> Floats:
    """``resolution`` even places over the values' range and 6 % beyond, or ±0.5 or more around one value."""
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or 0.5 * max(1.0, abs(high))
    return np.linspace(low - margin, high + margin, resolution)


def principal_components(x_ND: Floats) -> tuple[Floats, Floats, tuple[float, float]]:
    """Return mean ``[D]``, first two principal axes ``[2, D]``, and each axis's share of the variance.

    Computed from the eigenvectors of the smaller of xᵀx and xxᵀ. The sign of each axis makes its largest
    entry positive, so that the picture does not depend on the solver's sign.
    """
    from scipy.linalg import eigh

    mean_D = x_ND.mean(axis=0)
    centred_ND = x_ND - mean_D
    tall = x_ND.shape[0] >= x_ND.shape[1]
    square = centred_ND.T @ centred_ND if tall else centred_ND @ centred_ND.T
    value, vector = eigh(square, subset_by_index=(len(square) - 2, len(square) - 1))
    axes_2D = vector.T[::-1].copy() if tall else vector.T[::-1] @ centred_ND
    # rounding mixes a little of the first axis into a weak second one
    axes_2D[1] -= axes_2D[0] * (axes_2D[1] @ axes_2D[0]) / max(axes_2D[0] @ axes_2D[0], np.finfo(float).tiny)
    length = np.linalg.norm(axes_2D, axis=1)
    largest = axes_2D[[0, 1], np.abs(axes_2D).argmax(axis=1)]
    axes_2D = axes_2D * (np.where(largest < 0, -1.0, 1.0) / np.where(length > 0, length, 1.0))[:, None]
    total = max(float(np.trace(square)), np.finfo(float).tiny)
    return mean_D, axes_2D, (max(0.0, float(value[1])) / total, max(0.0, float(value[0])) / total)


def score(predict: Predict, data: Data) -> Score:
    """The metrics on all test rows; without test rows on validation rows, else on training rows."""
    split, rows = held_out(data)
    out = predict(rows.x)
    if unanswered := int((~has_answer(out, data)).sum()):
        return Score(split, len(rows), unanswered=unanswered)
    if data.task == "classification":
        right_N = np.asarray(_classes(out, data) == rows.y.numpy())
        accuracy, interval = weighted_accuracy(right_N, rows.weight, rows.group)
        return Score(split, len(rows), accuracy, int(right_N.sum()), interval)
    true_N, error_N = _targets(rows.y, data), _numbers(out, data) - _targets(rows.y, data)
    weight_N = None if rows.weight is None else rows.weight.double().numpy()
    mean, square = (np.average(of_N, weights=weight_N) for of_N in (true_N, error_N**2))
    spread = float(np.average((true_N - mean) ** 2, weights=weight_N))
    r2 = 1 - float(square) / spread if spread > 0 else None
    return Score(split, len(rows), rmse=float(np.sqrt(square)), r2=r2)


def placed(predict: Predict, data: Data, place: Callable[[torch.Tensor], Floats]) -> tuple[Points, ...]:
    """The rows that a picture shows: the place, the true target and the prediction of each."""
    shown = []
    for split in ALL:
        if not len(data.splits[split]):
            continue
        rows = draw(data.splits[split], most_rows(data, SHOWN[split]))
        out = predict(rows.x)
        classes = data.task == "classification"
        true = rows.y.double().numpy() if classes else _targets(rows.y, data)
        answers = _classes(out, data) if classes else _numbers(out, data)
        shown.append(Points(split, place(rows.x), true, answers, rows.index.numpy(), len(data.splits[split])))
    return tuple(shown)


def _chosen(
    net: nn.Module,
    data: Data,
    rows: Rows,
    axes_K: Sequence[int],
    item_shape: Sequence[int] | None,
    trained: bool,
    kept: Sequence[int],
) -> Sequence[int]:
    """The two of the columns ``axes_K`` on whose plane the picture agrees best with the network; for an
    untrained one the two that separate the classes best."""
    classes = len(data.classes)
    separating = by_separation(_places(data, rows.x, axes_K), rows.y.double().numpy(), classes)
    if not trained:
        return [axes_K[k] for k in separating[0]]
    important: list[int] = []
    most = MOST if data.inputs <= WIDE else 4
    if len(axes_K) > most:
        groups = [data.preparation.groups[j] for j in axes_K]
        columns: Sequence[int] = range(len(groups))
        if len(groups) > CANDIDATES:
            columns = steepest(net, rows.x, STEEPEST, item_shape, groups)
        drop_KR = importance(net, rows.x, rows.y, [groups[k] for k in columns], item_shape=item_shape)
        order_K = np.argsort(-drop_KR.mean(axis=1), kind="stable")
        important = [columns[k] for k in order_K[:most]]
    typical_D = typical_row(data)

    def there(pair: tuple[int, int]) -> Floats:
        along = [axes_K[k] for k in pair]
        return _answers(net, data, _rows_at(data, typical_D, along, _places(data, rows.x, along)), item_shape)

    pairs = candidates(separating, important, len(axes_K), most)
    places = [axes_K.index(j) for j in kept if j in axes_K]
    return sorted(
        axes_K[k]
        for k in by_agreement(pairs, _answers(net, data, rows.x, item_shape), there, classes, places)
    )


def _answers(net: nn.Module, data: Data, x_ND: torch.Tensor, item_shape: Sequence[int] | None) -> Floats:
    """Class numbers, or the first output."""
    out = outputs(net, x_ND.to(data.train.x.dtype), item_shape=item_shape)
    return _classes(out, data) if data.classes else out[:, 0].double().numpy()


def check_axes(axes: Sequence[str] | None, data: Data) -> tuple[int, int] | None:
    """The numbers of the features that are to be the axes of a picture; None: none are named.

    Raises:
        TreinoError: they are not two different features, or this picture has no axes to choose.
    """
    if axes is None:
        return None
    if data.task == "regression" or len(data.features) < 2:
        raise AXES_MEANINGLESS(axes=", ".join(axes))
    for name in axes:
        if name not in data.features:
            raise AXES_UNKNOWN(name=name, hint=nearest(name, data.features))
    if len(axes) != 2 or axes[0] == axes[1]:
        raise AXES_TWO(axes=", ".join(axes) or _("none"), a=data.features[0], b=data.features[1])
    chosen = data.features.index(axes[0]), data.features.index(axes[1])
    drawable = columns_with_an_axis(data)
    for j in chosen:
        if j not in drawable:
            raise AXES_CLASSES(
                name=data.features[j], names=", ".join(data.features[k] for k in drawable) or _("none")
            )
    return chosen


def _classes(out: torch.Tensor, data: Data) -> Floats:
    return predicted_classes(out, data.threshold).double().numpy()


def _numbers(out_NC: torch.Tensor, data: Data) -> Floats:
    return np.asarray(data.preparation.predictions(out_NC.double())[:, 0].numpy())


def _targets(y_N1: torch.Tensor, data: Data) -> Floats:
    return np.asarray(data.preparation.values(y_N1[:, 0].double().numpy()))


def _own(data: Data, x_ND: torch.Tensor) -> Floats:
    return np.asarray(data.preparation.inverse(x_ND), dtype=np.float64)


# ---- decision boundary of a classifier of two inputs, coarse

RESOLUTION = 72  # places along each axis
ROWS = 200  # training rows shown: the first of the split, whose rows are in random order


def previewable(data: Data) -> bool:
    """Whether a classifier has two columns, both usable as axes, and its rows are in memory."""
    two = data.task == "classification" and len(data.features) == 2 == len(columns_with_an_axis(data))
    return two and isinstance(data.train.x, torch.Tensor) and len(data.train) > 0


def boundary_preview(net: nn.Module, data: Data, axes: InputAxes) -> Plane:
    """The network's outputs over its two columns, with some training rows; the score is on these rows only.

    data: must be ``previewable``. axes: from ``sight``, computed once for all previews.
    """
    none = data.train[:0]
    shown = replace(data, train=data.train[:ROWS], validation=none, test=none)
    with torch_threads(1):  # for so little work, waking and synchronising threads costs more than it saves
        plane = boundary(net, shown, resolution=RESOLUTION, seen=axes)
    assert isinstance(plane, Plane)
    return plane
