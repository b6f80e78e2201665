"""A network's outputs on rows, its prediction for a picture, its confusion matrix and its worst mistakes."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.augmentation import usual_shift
from treino.engine.ensemble import mean_output
from treino.engine.losses import Loss
from treino.engine.metrics import answered, answers_from, probabilities
from treino.engine.rng import fork_rng
from treino.engine.user_module import evaluated, has_own_code
from treino.inspection.input_planes import ALL, Cell, Floats, Score, Split, cells, held_out, pictures
from treino.inspection.intervals import weighted_accuracy, wilson

ROW_WITHOUT_PICTURE = Refusal(
    "The rows of {data} are no pictures.",
    "Look at [[what=network]], which shows what units respond to, or at importance.",
)
PICTURE_UNANSWERED = Refusal("The network's output is not finite for row {n}.", "Look at [[what=curves]].")
CELLS_WITHOUT_PICTURES = Refusal(
    "The rows of {data} are no classes of pictures.",
    "Look at [[what=mistakes]], which shows rows of any kind.",
)

# ---- outputs

PIXELS = 1 << 22  # maximum number of values of pictures in memory at once


@contextmanager
def evaluating(net: nn.Module, gradients: bool = False) -> Iterator[torch.device]:
    """Set the network to eval mode, without gradients (or with), and restore each module's mode on exit.

    Yields the network's device. Modules may be in different modes (a frozen batch norm in a training
    network), so a single ``net.train(mode)`` can't restore them.
    """
    modes = [(module, module.training) for module in net.modules()]
    tensor = next(net.parameters(), next(net.buffers(), torch.empty(0)))
    net.eval()
    try:
        drawing = fork_rng(0, tensor.device) if has_own_code(net) else nullcontext()
        with torch.set_grad_enabled(gradients), drawing:
            yield tensor.device
    finally:
        for module, mode in modes:
            module.training = mode


def outputs(
    net: nn.Module,
    x_ND: torch.Tensor,
    batch: int | None = None,
    item_shape: Sequence[int] | None = None,
    index: torch.Tensor | None = None,
) -> torch.Tensor:
    """The network's raw outputs (logits, or standardised target values) ``[N, C]`` on the CPU, in eval mode.

    x_ND: prepared rows. batch: rows at once; default: 4096, or 256 for pictures, whose layers' outputs then
    need no fresh memory from the system, or fewer for large ones. item_shape: the shape to which each row is
    reshaped. index: ``[N]``, the rows' numbers, for what is said of one. Without rows, the network is
    evaluated on one row of zeros, to find its number of outputs.

    Raises:
        TreinoError: the user's network fails on these rows.
    """
    with evaluating(net) as device:
        rows = x_ND if len(x_ND) else torch.zeros(1, *x_ND.shape[1:], dtype=x_ND.dtype)
        parts = []
        pictures = item_shape is not None and len(item_shape) > 1
        batch = batch or (max(1, min(256, PIXELS // math.prod(item_shape or ()))) if pictures else 4096)
        last = item_shape is not None and len(item_shape) == 3 and not has_own_code(net)
        for part, x_BD in enumerate(rows.split(batch)):
            x = x_BD.to(device)
            x = x.reshape(len(x), *item_shape) if item_shape else x
            if last:  # not `x.to`, which leaves a single channel as it is
                x = torch.empty_like(x, memory_format=torch.channels_last).copy_(x)
            number = None if index is None else index[part * batch : (part + 1) * batch]
            parts.append(evaluated(net, x, number).cpu())
    logits = torch.cat(parts)
    return logits.reshape(len(logits), -1)[: len(x_ND)]


def predicted_classes(logits: torch.Tensor, threshold: float | None = None) -> torch.Tensor:
    """The predicted class ``[N]`` int64, by ``Data.threshold``; -1 for rows that have none (``answered``)."""
    return torch.where(answered(logits), answers_from(logits, threshold), -1)


def has_answer(out_NC: torch.Tensor, data: Data) -> torch.Tensor:
    """``[N]``: whether the outputs predict a class, or a number, of these data."""
    return answered(out_NC) if data.classes else out_NC.isfinite().all(dim=1)


# ---- the answer for one picture


@dataclass(frozen=True, eq=False)
class AnsweredPicture:
    """One row of pixels, and the network's prediction.

    index: the row's number in the source. picture_CHW: from 0 to 1. true, answer: class numbers, or values in
    the target's own units. share_C: the probabilities of the classes; empty for regression. file: for a
    photograph, its name; else "".
    """

    name: str
    target: str
    classes: tuple[str, ...]
    split: Split
    index: int
    picture_CHW: Floats
    true: float
    answer: float
    share_C: Floats
    file: str = ""

    @property
    def share(self) -> float:
        """The probability of the predicted class."""
        return float(self.share_C[int(self.answer)])


def answered_picture(
    net: nn.Module, data: Data, split: Split, rows: Rows, item_shape: Sequence[int] | None = None
) -> AnsweredPicture:
    """The network's prediction for the first of these rows.

    Raises:
        TreinoError: the rows aren't pictures; outputs that are not finite.
    """
    if data.kind != "image":
        raise ROW_WITHOUT_PICTURE(data=data.name)
    rows = rows[:1]
    out = outputs(net, rows.x, item_shape=item_shape).double()
    if not has_answer(out, data).all():
        raise PICTURE_UNANSWERED(n=int(rows.index[0]))
    share_C = probabilities(out)[0].numpy() if data.classes else np.empty(0)
    true, answer = (float(v[0].double()) for v in (rows.y.flatten(), out.flatten()))
    if data.classes:
        answer = float(predicted_classes(out, data.threshold)[0])
    else:
        true, (answer,) = float(data.preparation.values(true)), data.preparation.predictions(out)[0].tolist()
    return AnsweredPicture(
        data.name,
        data.target,
        data.classes,
        split,
        int(rows.index[0]),
        pictures(data, rows.x)[0],
        true,
        answer,
        share_C,
        "".join(_files(data, rows.index)),
    )


def _files(data: Data, index_K: torch.Tensor) -> tuple[str, ...]:
    """Return the file names of these rows if they are photographs, else ()."""
    return tuple(data.file_names[row] for row in index_K.tolist()) if data.file_names else ()


# ---- confusion matrix


@dataclass(frozen=True, eq=False)
class Confusion:
    """A confusion matrix.

    count_CC: ``[C, C]``: the number of rows by true class (first axis) and predicted class.
    unsaid_C: the rows of each class without a prediction, because the outputs are not finite.
    split: the split of the rows. weighted: for rows with weights, the weighted accuracy and its interval.
    """

    name: str
    classes: tuple[str, ...]
    count_CC: NDArray[np.int64]
    unsaid_C: NDArray[np.int64]
    split: Split
    weighted: tuple[float, tuple[float, float]] | None = None

    @property
    def rows(self) -> int:
        return int(self.count_CC.sum() + self.unsaid_C.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.count_CC))

    @property
    def score(self) -> Score:
        """The accuracy with its 95 % interval (Wilson); no accuracy if a row has no prediction."""
        if unanswered := int(self.unsaid_C.sum()):
            return Score(self.split, self.rows, unanswered=unanswered)
        share, interval = self.weighted or (self.right / self.rows, wilson(self.right, self.rows))
        return Score(self.split, self.rows, share, self.right, interval)

    @property
    def share_CC(self) -> Floats:
        """``[C, C]``: the share of each true class's rows; NaN for a true class without rows."""
        total_C = (self.count_CC.sum(axis=1) + self.unsaid_C).astype(np.float64)
        return np.asarray(self.count_CC / np.where(total_C > 0, total_C, np.nan)[:, None])

    def pairs(self, most: int) -> list[tuple[int, int, int]]:
        """The ``most`` most frequent confusions: (true class, predicted class, rows), most rows first."""
        wrong_CC = self.count_CC - np.diag(np.diag(self.count_CC))
        order = np.argsort(-wrong_CC, axis=None, kind="stable")[:most]
        places = [np.unravel_index(flat, wrong_CC.shape) for flat in order]
        return [(int(t), int(p), int(wrong_CC[t, p])) for t, p in places if wrong_CC[t, p]]


def confusion(
    net: nn.Module,
    data: Data,
    *,
    splits: Sequence[Split] = ALL,
    item_shape: Sequence[int] | None = None,
) -> Confusion:
    """The confusion matrix on all test rows, else validation rows, else training rows (as scikit-learn's
    ``confusion_matrix``)."""
    split, rows = held_out(data, splits)
    out = outputs(net, rows.x, item_shape=item_shape)
    predicted_N = predicted_classes(out, data.threshold).numpy()
    counts = answer_counts(rows.y.numpy(), predicted_N, len(data.classes))
    by_weight = None
    if rows.weight is not None or rows.group is not None:
        by_weight = weighted_accuracy(predicted_N == rows.y.numpy(), rows.weight, rows.group)
    return Confusion(data.name, data.classes, *counts, split, by_weight)


def answer_counts(
    true_N: NDArray[np.int64], predicted_N: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``count_CC`` and ``unsaid_C`` of a ``Confusion``. predicted_N: -1: no prediction."""
    known = predicted_N >= 0
    count_CC = np.bincount(true_N[known] * classes + predicted_N[known], minlength=classes * classes)
    return count_CC.reshape(classes, classes), np.bincount(true_N[~known], minlength=classes)


# ---- pictures of a confusion matrix's cells

CELLS, IN_CELL, IN_CHOSEN_CELL = 4, 6, 36  # maximum cells with pictures; pictures in each, in a chosen one


@dataclass(frozen=True, eq=False)
class ConfusionCell:
    """A cell of a confusion matrix with pictures of its rows, those with the highest probability first; for
    right rows, those with the lowest.

    true, predicted: classes. rows: the number of all its rows, of the ``of`` rows of the true class. index_K:
    row numbers in the source of the K rows shown. share_K: the probability of the predicted class.
    picture_KCHW: from 0 to 1. files: for photographs, the names of their files; else ().
    """

    true: int
    predicted: int
    rows: int
    of: int
    index_K: NDArray[np.int64]
    share_K: Floats
    picture_KCHW: Floats
    files: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ConfusionCells:
    """Cells of a confusion matrix with pictures. chosen: by the reader, not by their number of rows."""

    name: str
    classes: tuple[str, ...]
    split: Split
    cells: tuple[ConfusionCell, ...]
    chosen: bool


def confusion_cells(
    net: nn.Module,
    data: Data,
    cell: tuple[str, str] | None = None,
    *,
    splits: Sequence[Split] = ALL,
    item_shape: Sequence[int] | None = None,
) -> ConfusionCells:
    """Pictures of the rows of one cell, or of the cells with most mistakes.

    cell: (true class, predicted class).

    Raises:
        TreinoError: the rows aren't pictures with classes; an unknown class.
    """
    if data.kind != "image" or not data.classes:
        raise CELLS_WITHOUT_PICTURES(data=data.name)
    for name in cell or ():
        if name not in data.classes:
            message = _("There is no class {name!r}.").format(name=name)
            raise TreinoError("class_unknown", message, nearest(name, data.classes))
    split, rows = held_out(data, splits)
    out = outputs(net, rows.x, item_shape=item_shape).double()
    true_N, predicted_N = rows.y.numpy(), predicted_classes(out, data.threshold).numpy()
    share_N = np.take_along_axis(probabilities(out).numpy(), predicted_N[:, None].clip(0), axis=1)[:, 0]
    counts = answer_counts(true_N, predicted_N, len(data.classes))
    if cell is None:
        matrix = Confusion(data.name, data.classes, *counts, split)
        pairs, most = [(t, p) for t, p, _rows in matrix.pairs(CELLS)], IN_CELL
    else:
        pairs, most = [(data.classes.index(cell[0]), data.classes.index(cell[1]))], IN_CHOSEN_CELL
    made = []
    for true, predicted in pairs:
        place_K = np.flatnonzero((true_N == true) & (predicted_N == predicted))
        order_K = np.argsort(share_N[place_K] * (1 if true == predicted else -1), kind="stable")
        pick_K = place_K[order_K][:most]
        items = pictures(data, rows.x[torch.from_numpy(pick_K)])
        index_K = rows.index[torch.from_numpy(pick_K)]
        of, files = int((true_N == true).sum()), _files(data, index_K)
        counted = (true, predicted, len(place_K), of)
        made.append(ConfusionCell(*counted, index_K.numpy(), share_N[pick_K], items, files))
    return ConfusionCells(data.name, data.classes, split, tuple(made), cell is not None)


# ---- worst mistakes


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The K worst mistakes, worst first, of ``wrong`` wrong predictions on ``rows`` rows of ``split``.

    index_K: row numbers in the source. true_K, said_K: true and predicted class numbers, or values in the
    target's own units. sure_K: the probability of the predicted class; NaN for regression. items: for images
    ``[K, C, H, W]`` from 0 to 1, else None. cells: for tables, each column's values,
    ``[features][K]``. unsaid: the number of rows left out because their outputs are not finite. files: for
    photographs, the names of their files; else ().
    """

    name: str
    target: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    split: Split
    rows: int
    wrong: int
    index_K: NDArray[np.int64]
    true_K: Floats
    said_K: Floats
    sure_K: Floats
    items: Floats | None
    cells: tuple[tuple[Cell, ...], ...]
    unsaid: int
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.index_K)


def mistakes(
    net: nn.Module,
    data: Data,
    *,
    most: int = 24,
    splits: Sequence[Split] = ALL,
    item_shape: Sequence[int] | None = None,
) -> Mistakes:
    """The wrong classes predicted with the highest probability, or the largest absolute errors of numbers.

    Uses all test rows, else validation rows, else training rows. Equal mistakes are in row order.
    """
    split, rows = held_out(data, splits)
    out = outputs(net, rows.x, item_shape=item_shape).double()
    answered_N = has_answer(out, data).numpy()
    if data.classes:
        share_NC = probabilities(out).numpy()
        true_N = rows.y.numpy()
        predicted_N = answers_from(out, data.threshold).numpy()
        sure_N = np.take_along_axis(share_NC, predicted_N[:, None], axis=1)[:, 0]
        badness_N, wrong_N = sure_N, predicted_N != true_N
    else:
        true_N = data.preparation.values(rows.y[:, 0].double().numpy())
        predicted_N = data.preparation.predictions(out)[:, 0].numpy()
        sure_N = np.full(len(rows), np.nan)
        badness_N = np.abs(predicted_N - true_N)
        wrong_N = badness_N > 0
    wrong_N = wrong_N & answered_N
    order_N = np.argsort(-np.where(wrong_N, badness_N, -np.inf), kind="stable")
    pick_K = order_N[: min(most, int(wrong_N.sum()))]
    x_KD = rows.x[torch.from_numpy(pick_K)]
    image = data.kind == "image"
    return Mistakes(
        data.name,
        data.target,
        data.classes,
        data.features,
        split,
        len(rows),
        int(wrong_N.sum()),
        rows.index.numpy()[pick_K],
        true_N[pick_K].astype(np.float64),
        predicted_N[pick_K].astype(np.float64),
        sure_N[pick_K],
        pictures(data, x_KD) if image else None,
        () if image else tuple(tuple(column) for column in cells(data, x_KD)),
        int((~answered_N).sum()),
        _files(data, rows.index[torch.from_numpy(pick_K)]),
    )


# ---- the mean over views of each picture

AT_ONCE = 1024  # pictures whose views are predicted together


class PictureView(NamedTuple):
    """A picture moved down and right by these numbers of pixels, and mirrored left to right or not."""

    down: int = 0
    right: int = 0
    mirrored: bool = False

    def of(self, x_BCHW: Tensor) -> Tensor:
        """The pictures moved and mirrored in this way; gaps are filled with the edge's nearest pixel."""
        x_BCHW = x_BCHW.flip(-1) if self.mirrored else x_BCHW
        for axis, shift in ((-2, self.down), (-1, self.right)):
            size = x_BCHW.shape[axis]
            if shift:
                x_BCHW = x_BCHW.index_select(axis, (torch.arange(size) - shift).clamp(0, size - 1))
        return x_BCHW


def views_of(picture_shape: Sequence[int], mirrored: bool) -> tuple[PictureView, ...]:
    """The views of pictures of this shape: unmoved, and moved up, down, left and right by as much as training
    usually moves them; mirrored: each also mirrored."""
    far = max(1, usual_shift(picture_shape))
    moved = [PictureView(), PictureView(-far), PictureView(far), PictureView(0, -far), PictureView(0, far)]
    return (*moved, *(view._replace(mirrored=True) for view in moved if mirrored))


def outputs_of_views(
    net: nn.Module,
    x_ND: Tensor,
    picture_shape: Sequence[int],
    views: Sequence[PictureView],
    loss: Loss | str,
    item_shape: Sequence[int] | None = None,
) -> Tensor:
    """``[N, C]``: the logits of the mean of the views' probabilities; for numbers, the mean of the outputs.

    x_ND: prepared rows, or rows outside memory. loss: the training loss. item_shape: as in
    ``outputs``.
    """
    parts = []
    for x_BD in x_ND.split(AT_ONCE) if len(x_ND) else [x_ND[:0]]:
        x_BCHW = x_BD.reshape(len(x_BD), *picture_shape)
        of_views = [outputs(net, view.of(x_BCHW).flatten(1), item_shape=item_shape) for view in views]
        parts.append(mean_output(torch.stack(of_views), loss))
    return torch.cat(parts)
