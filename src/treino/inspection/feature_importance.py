"""Column importance by shuffling each column on held-out rows, with intervals and groups of correlated
columns."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from treino.base.beta import t_point
from treino.base.errors import Refusal
from treino.base.resampling import LEVEL
from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.losses import Loss
from treino.engine.metrics import row_losses
from treino.inspection.input_planes import ALL, Floats, Split, draw, held_out
from treino.inspection.outputs import evaluating, outputs, predicted_classes

IMPORTANCE_PIXELS = Refusal(
    "A pixel means another thing in each picture, so no pixel matters in all of them.",
    "Look at [[what=occlusion]]: what the answers for some pictures hang on.",
)
IMPORTANCE_ROWS = Refusal(
    "Shuffling needs two rows or more, and there is one in the {split} rows.",
    "Train with more rows held back: [[test=0.2]]",
)
OUTPUTS_NOT_FINITE = Refusal(
    "The network's outputs are not finite on {n} of {rows} rows: nothing can be compared.",
    "Look at its curves, and train again with a smaller [[lr]].",
)

# ---- permutation importance

CANDIDATES = 200  # maximum number of inputs to shuffle, chosen by `steepest`: D passes over D columns cost D²


def importance(
    net: nn.Module,
    x_ND: Tensor,
    y: Tensor,
    groups: Sequence[Sequence[int]],
    *,
    repeats: int = 5,
    seed: int = 0,
    item_shape: Sequence[int] | None = None,
) -> Floats:
    """``[K, R]``: the increase in error by each of R shuffles of each column (Breiman 2001; scikit-learn's
    ``permutation_importance``): in accuracy, or in mean squared error in standardised units.

    y: ``[N]`` int64 class numbers, or ``[N, 1]`` standardised targets. groups: the inputs of each column,
    which are shuffled together. All columns get the same shuffles, so that differences between columns aren't
    shuffling noise. The shuffles are from ``RandomState``, whose stream NumPy guarantees (``default_rng``'s
    may change).
    """
    orders = shuffles(len(x_ND), repeats, seed)
    score = _score(net, x_ND, y, item_shape)
    sign = -1.0 if y.is_floating_point() else 1.0
    x = x_ND.clone()
    costs = [
        [sign * (score - _score(net, x, y, item_shape)) for _lender_N in shuffled(x, list(inputs), orders)]
        for inputs in groups
    ]
    return np.array(costs)


def steepest(
    net: nn.Module,
    x_ND: Tensor,
    count: int = CANDIDATES,
    item_shape: Sequence[int] | None = None,
    groups: Sequence[Sequence[int]] | None = None,
) -> tuple[int, ...]:
    """The ``count`` inputs, or groups of inputs, with the largest gradients, in column order.

    They are ranked by the mean absolute gradient of the sum of squared outputs, times the input's standard
    deviation: one backward pass instead of D forward passes, to preselect many inputs for ``importance``.
    """
    with evaluating(net, gradients=True) as device:
        x = x_ND.detach().to(device).clone().requires_grad_(True)
        out = net(x.reshape(len(x), *item_shape) if item_shape else x)
        (slope_ND,) = torch.autograd.grad(out.square().sum(), x)
    weight_D = (slope_ND.abs().mean(dim=0).cpu() * x_ND.std(dim=0, correction=0)).nan_to_num()
    weight_K = weight_D if groups is None else torch.stack([weight_D[list(g)].sum() for g in groups])
    order = torch.argsort(weight_K, descending=True, stable=True)[:count]
    return tuple(sorted(order.tolist()))


def shuffles(rows: int, repeats: int, seed: int) -> list[Tensor]:
    """Row orders for ``shuffled``, drawn as in scikit-learn's ``permutation_importance``."""
    random = np.random.RandomState(seed)
    order = np.arange(rows)
    orders = []
    for _draw in range(repeats):
        random.shuffle(order)
        orders.append(torch.from_numpy(order.copy()))
    return orders


def shuffled(
    x_ND: Tensor, inputs: Sequence[int], orders: Sequence[Tensor], grows_K: Tensor | None = None
) -> Iterator[Tensor]:
    """Shuffle these inputs together in place, once per order; yield the source row of each row's values.

    Each shuffle permutes the previous one, as in scikit-learn; after the last the original is restored.
    grows_K: the first input alone is shuffled, and each grows by so much where it grows by 1.
    """
    own = x_ND[:, inputs]
    lender_N = torch.arange(len(x_ND))
    for order_N in orders:
        lender_N = lender_N[order_N]
        lent = own[lender_N]
        if grows_K is not None:
            lent = own + (lent[:, :1] - own[:, :1]) * grows_K.to(own)
        x_ND[:, inputs] = lent
        yield lender_N
    x_ND[:, inputs] = own


def _score(net: nn.Module, x: Tensor, y: Tensor, item_shape: Sequence[int] | None) -> float:
    out = outputs(net, x, item_shape=item_shape)
    if y.is_floating_point():
        return float((out - y).double().square().mean())
    return float((predicted_classes(out) == y).double().mean())


# ---- column importance

REPEATS = 10
MOST, FEWEST = 2000, 200  # rows to measure on
COLUMNS = 100  # maximum number of columns to measure, chosen by `steepest`
WORK = 6e10  # limit of floating-point operations: a few seconds on two cores
TERMS = 20  # of a text
TOGETHER = 0.7  # minimum rank correlation of columns that count as correlated
TINY = float(np.finfo(np.float64).tiny)
RANKED = 1000  # training rows for these correlations


@dataclass(frozen=True, eq=False)
class Cost:
    """The increase of an error by shuffling, ``[K]``: the mean over the shuffles, and its 95 % interval."""

    mean_K: Floats
    low_K: Floats
    high_K: Floats


@dataclass(frozen=True)
class CorrelatedColumns:
    """Correlated columns: their indices among the measured columns, and the largest pairwise correlation."""

    columns: tuple[int, ...]
    correlation: float


@dataclass(frozen=True, eq=False)
class Importances:
    """The importance of K columns, the most important first.

    names: the columns' names, then those of the ``terms`` terms of texts. metric: ``accuracy`` or ``rmse``
    (in the target's own units). score: loss and metric unshuffled. loss, worse: the increase of the loss,
    and of the metric's error. split, rows, of: the split, its number of measured rows, and of all its rows.
    columns: the number of all columns; the columns not among the K change the outputs least (``steepest``).
    together: groups of correlated columns. joint_loss: the cost of shuffling each group together.
    """

    names: tuple[str, ...]
    metric: str
    score: dict[str, float]
    loss: Cost
    worse: Cost
    split: Split
    rows: int
    of: int
    repeats: int
    columns: int
    together: tuple[CorrelatedColumns, ...]
    joint_loss: Cost
    terms: int = 0

    @property
    def of_columns(self) -> tuple[str, ...]:
        """The names of the measured columns, without the terms of texts."""
        return self.names[: len(self.names) - self.terms]


def importances(
    net: nn.Module,
    data: Data,
    loss: Loss,
    *,
    splits: Sequence[Split] = ALL,
    repeats: int = REPEATS,
    seed: int = 0,
    item_shape: Sequence[int] | None = None,
) -> Importances:
    """Permutation importance of each column (Breiman 2001) on test rows (else validation, else training
    rows), for the loss and the metric.

    The intervals include the randomness of shuffles and of rows: an importance is a mean over pairs of rows
    (one is evaluated, the other lends its value), so each row counts in both roles (Hoeffding's projection of
    a U-statistic, 1948), with Student's t. If no row changes its class, the interval of accuracy is a point,
    and the loss is more informative. On 60 rows with heavy tails, the intervals contained the true importance
    in 89 to 93 % of simulations.

    loss: the run's loss. splits: the splits whose rows may be used. To limit the time, fewer rows are used,
    and then only the columns chosen by ``steepest``.

    Raises:
        TreinoError: rows of pixels; the outputs are not finite, or there are too few rows.
    """
    if data.kind == "image":
        raise IMPORTANCE_PIXELS()
    split, measured_rows = held_out(data, splits)
    if len(measured_rows) < 2:
        raise IMPORTANCE_ROWS(split=split)
    names, groups = data.features, list(data.preparation.groups)
    each = flops(net, measured_rows.x[:1], item_shape)
    rows = draw(measured_rows, int(np.clip(WORK / (each * repeats * min(len(groups), 50)), FEWEST, MOST)))
    most = int(np.clip(WORK / (each * repeats * len(rows)), 10, COLUMNS))
    columns = list(range(len(groups)))
    if len(groups) > most:
        columns = list(steepest(net, draw(data.train, MOST).x, most, item_shape, groups))
    orders = shuffles(len(rows), repeats, seed)
    measured = _RowErrors(net, rows, loss, data, orders, item_shape)
    alone = [measured.shuffled(groups[k]) for k in columns]
    order = sorted(range(len(columns)), key=lambda i: -alone[i][0][0])
    columns, alone = [columns[i] for i in order], [alone[i] for i in order]
    terms = [(name, measured.shuffled(inputs, grows_K)) for name, inputs, grows_K in _terms(data)]
    terms = sorted(terms, key=lambda term: -term[1][0][0])
    together = correlated_columns(draw(data.train, RANKED).x, [groups[k] for k in columns])
    joint = [measured.shuffled([j for i in group.columns for j in groups[columns[i]]]) for group in together]
    alone += [costs for _name, costs in terms]
    return Importances(
        (*(names[k] for k in columns), *(name for name, _costs in terms)),
        measured.metric,
        measured.score,
        _cost(alone, 0),
        _cost(alone, 1),
        split,
        len(rows),
        len(measured_rows),
        repeats,
        len(groups),
        together,
        _cost(joint, 0),
        len(terms),
    )


def _terms(data: Data) -> Iterator[tuple[str, Sequence[int], Tensor]]:
    """Yield the terms that tell the most, of each column of free text: the term's name, the inputs that it is
    a part of, and how much each of these grows where the first grows by 1."""
    scale_D = data.preparation.mean_and_scale[1]
    for program, group in zip(data.preparation.programs, data.preparation.groups, strict=False):
        for term, place in enumerate(program.term_inputs[:TERMS]):
            raw = zip(group, program.slopes_of(term), strict=True)
            grows = {k: by * scale_D[group[place]] / scale_D[k] for k, by in raw}
            inputs = [group[place], *(k for k in group if grows[k] and k != group[place])]
            yield program.inputs[place], inputs, torch.tensor([grows[k] for k in inputs])


@dataclass(eq=False)
class _RowErrors:
    """Per-row loss and error of a network, with and without shuffling."""

    net: nn.Module
    rows: Rows
    loss: Loss
    data: Data
    orders: Sequence[torch.Tensor]
    item_shape: Sequence[int] | None

    def __post_init__(self) -> None:
        self.x = self.rows.x.clone()
        self.metric = "rmse" if self.rows.y.is_floating_point() else "accuracy"
        self.base_2N = self._rowwise()
        if bad := int((~np.isfinite(self.base_2N).all(axis=0)).sum()):
            raise OUTPUTS_NOT_FINITE(n=bad, rows=len(self.rows))
        loss_mean, error = self.base_2N.mean(axis=1)
        metric = math.sqrt(error) if self.metric == "rmse" else 1 - error
        self.score = {"loss": float(loss_mean), self.metric: float(metric)}

    def _rowwise(self) -> Floats:
        """``[2, N]``: each row's loss (weighted so that their mean is the loss), and its squared error in the
        target's units, or 1 for a wrong class, weighted likewise by the rows' own weights."""
        x_ND, y = self.data.preparation.with_answers(self.x), self.rows.y
        p = self.data.preparation
        output_NC = outputs(self.net, x_ND, item_shape=self.item_shape)
        loss_N, weight_N = row_losses(output_NC, y, self.loss, self.rows.weight)
        if y.is_floating_point():
            wrong_N = (p.predictions(output_NC.double()) - p.values(y.double()))[:, 0].square().numpy()
        else:
            wrong_N = (predicted_classes(output_NC, self.data.threshold) != y).double().numpy()
        if self.rows.weight is not None:
            wrong_N *= (self.rows.weight / self.rows.weight.mean()).double().numpy()
        return np.stack([loss_N / weight_N.mean(), wrong_N])

    def shuffled(
        self, inputs: Sequence[int], grows_K: Tensor | None = None
    ) -> list[tuple[float, float, float]]:
        """The cost of shuffling these inputs together: (mean, low, high) for the loss and for the metric.
        grows_K: the first alone is shuffled, and each grows by so much where it grows by 1."""
        pick, rows, repeats = list(inputs), len(self.rows), len(self.orders)
        judged_2N, lent_2N, least_2N = np.zeros((3, 2, rows))
        mean_2R = np.zeros((2, repeats))
        for r, lender in enumerate(shuffled(self.x, pick, self.orders, grows_K)):
            lender_N = lender.numpy()
            value_2N = self._rowwise()
            judged_2N += value_2N
            lent_2N[:, lender_N] += value_2N
            least_2N[:, lender_N] += self.base_2N
            mean_2R[:, r] = value_2N.mean(axis=1)
        judged_2N, lent_2N, least_2N = (sums / repeats for sums in (judged_2N, lent_2N, least_2N))
        costs = []
        for k, root in ((0, False), (1, self.metric == "rmse")):
            base_N, worse, base = self.base_2N[k], judged_2N[k].mean(), self.base_2N[k].mean()
            mean = float((np.sqrt(mean_2R[k]) - math.sqrt(base) if root else mean_2R[k] - base).mean())
            slope = [0.5 / math.sqrt(max(m, TINY)) if root else 1.0 for m in (worse, base)]  # delta method
            as_judged_N = slope[0] * judged_2N[k] - slope[1] * base_N
            as_lender_N = slope[0] * lent_2N[k] - slope[1] * least_2N[k]
            deviation = float((as_judged_N + as_lender_N).std(ddof=1))
            half = t_point((1 + LEVEL) / 2, rows - 1) * deviation / math.sqrt(rows)
            costs.append((mean, mean - half, mean + half))
        return costs


def _cost(costs: Sequence[Sequence[tuple[float, float, float]]], figure: int) -> Cost:
    table_K3 = np.array([f[figure] for f in costs], dtype=np.float64).reshape(-1, 3)
    return Cost(*table_K3.T)


def flops(net: nn.Module, x_1D: torch.Tensor, item_shape: Sequence[int] | None = None) -> float:
    """Floating-point operations for one row, at least one per input: two for each application of a weight
    of a linear, convolutional or recurrent layer.

    torch's own counter first imports its compiler, which takes longer than a short training.
    """
    total = 0

    def add(layer: nn.Module, _inputs: object, output: Any) -> None:
        nonlocal total
        places = output[0] if isinstance(layer, nn.RNNBase) else output
        if isinstance(places, torch.Tensor):
            channels = places.shape[1 if isinstance(layer, _ConvNd) else -1]
            weights = sum(weight.numel() for weight in layer.parameters() if weight.dim() > 1)
            total += 2 * weights * places.numel() // max(channels, 1)

    layers = [layer for layer in net.modules() if isinstance(layer, (nn.Linear, _ConvNd, nn.RNNBase))]
    with evaluating(net) as device, ExitStack() as hooks:
        for layer in layers:
            hooks.enter_context(layer.register_forward_hook(add))
        x = x_1D.to(device)
        net(x.reshape(len(x), *item_shape) if item_shape else x)
    return float(max(total, x_1D.numel(), 1))


def correlated_columns(x_ND: torch.Tensor, groups: Sequence[Sequence[int]]) -> tuple[CorrelatedColumns, ...]:
    """Groups of columns, each column correlated (Spearman, at least ``TOGETHER``) with another of its group.

    groups: the inputs of each column; its most correlated input counts. If one column of a group is shuffled,
    the others still hold its information, so each seems less important than the whole group.
    """
    from scipy.sparse.csgraph import connected_components
    from scipy.stats import rankdata

    inputs = [j for group in groups for j in group]
    owner_J = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    rank_JN = rankdata(x_ND[:, inputs].double().numpy(), axis=0).T
    rank_JN -= rank_JN.mean(axis=1, keepdims=True)
    length_J = np.linalg.norm(rank_JN, axis=1)
    rank_JN /= np.where(length_J > 0, length_J, 1.0)[:, None]
    near_KK = np.zeros((len(groups), len(groups)))
    np.maximum.at(near_KK, (owner_J[:, None], owner_J[None, :]), np.abs(rank_JN @ rank_JN.T))
    np.fill_diagonal(near_KK, 0.0)
    count, label_K = connected_components(near_KK >= TOGETHER, directed=False)
    groups_K = (np.flatnonzero(label_K == number) for number in range(count))
    clusters = [
        CorrelatedColumns(tuple(k.tolist()), min(1.0, float(near_KK[np.ix_(k, k)].max())))
        for k in groups_K
        if len(k) > 1
    ]
    return tuple(sorted(clusters, key=lambda t: t.columns))
