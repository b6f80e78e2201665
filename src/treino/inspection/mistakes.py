"""Worst mistakes: the rows with the most confident wrong class, or the largest error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.data.dataset import Data
from treino.inspection.input_planes import Floats, Split
from treino.inspection.outputs import outputs, probabilities
from treino.inspection.row_samples import ALL, Cell, cells, held_out


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The K worst of the ``wrong`` rows among ``rows`` of ``split``, worst first.

    index_K: row numbers in the source. true_K, said_K: true and predicted class numbers, or values in the
    target's own units. sure_K: the probability of the predicted class (classification). items: for images
    ``[K, *item_shape]`` in the data's own values, else None. cells: for tables, each column's values,
    ``[features][K]``. unsaid: rows whose outputs are not finite, which are left out.
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
    """The wrong classes with the highest probability, or the largest residuals of numbers.

    Uses all test rows, else validation rows, else training rows. Equal mistakes are in the order of the rows.
    """
    split, rows = held_out(data, splits)
    out = outputs(net, rows.x, item_shape=item_shape).double()
    finite_N = out.isfinite().all(dim=1).numpy()
    if data.classes:
        share_NC = probabilities(out).numpy()
        true_N = rows.y.numpy()
        predicted_N = share_NC.argmax(axis=1)
        sure_N = np.take_along_axis(share_NC, predicted_N[:, None], axis=1)[:, 0]
        badness_N, wrong_N = sure_N, predicted_N != true_N
    else:
        true_N, predicted_N = (
            v[:, 0].double().numpy() * data.target_scale + data.target_mean for v in (rows.y, out)
        )
        sure_N = np.full(len(rows), np.nan)
        badness_N = np.abs(predicted_N - true_N)
        wrong_N = badness_N > 0
    wrong_N = wrong_N & finite_N
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
        data.preparation.inverse(x_KD).reshape(len(pick_K), *data.item_shape) if image else None,
        () if image else tuple(tuple(column) for column in cells(data, x_KD)),
        int((~finite_N).sum()),
    )
