"""Permutation importance: how much worse the network gets when one column is shuffled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.inspection.outputs import evaluating, outputs, predicted_classes

CANDIDATES = 200  # with more inputs than this, only the steepest are shuffled: D passes over D columns is D²


@dataclass(frozen=True, eq=False)
class Importance:
    """columns: ``[K]`` the inputs, or groups of them, that were shuffled. drop_KR: what each of R shuffles
    cost: accuracy lost, or mean squared error gained (standardised units). score: accuracy, or mean squared
    error, unshuffled. rows: on how many rows all this was measured.
    """

    columns: NDArray[np.int64]
    drop_KR: NDArray[np.float64]
    score: float
    rows: int

    @property
    def mean_K(self) -> NDArray[np.float64]:
        return np.asarray(self.drop_KR.mean(axis=1))

    def largest(self, count: int) -> tuple[int, ...]:
        """The ``count`` inputs that matter most, most important first; equal ones in their own order."""
        return tuple(int(k) for k in self.columns[np.argsort(-self.mean_K, kind="stable")[:count]])


def importance(
    net: nn.Module,
    x_ND: Tensor,
    y: Tensor,
    *,
    columns: Sequence[int] | None = None,
    groups: Sequence[Sequence[int]] | None = None,
    repeats: int = 5,
    seed: int = 0,
    item_shape: Sequence[int] | None = None,
) -> Importance:
    """Permutation importance of each column (Breiman 2001; scikit-learn's ``permutation_importance``).

    groups: inputs that are shuffled together, for they were made of one column (``Preparation.groups``);
    columns are places among these then. By default every input is a group of its own.
    y: ``[N]`` int64 class numbers, or ``[N, 1]`` standardised targets (what decides between accuracy and
    error). All columns see the same shuffles, so that their differences are not noise of the shuffling.
    ``RandomState``, because NumPy promises that its stream never changes (``default_rng``'s may).
    """
    orders = shuffles(len(x_ND), repeats, seed)
    together = [(j,) for j in range(x_ND.shape[1])] if groups is None else [tuple(g) for g in groups]
    columns = range(len(together)) if columns is None else columns
    score = _score(net, x_ND, y, item_shape)
    sign = -1.0 if y.is_floating_point() else 1.0
    drop_KR = np.zeros((len(columns), repeats))
    x = x_ND.clone()
    for k, column in enumerate(columns):
        inputs = list(together[column])
        for r, _lender_N in enumerate(shuffled(x, inputs, orders)):
            drop_KR[k, r] = sign * (score - _score(net, x, y, item_shape))
    return Importance(np.asarray(columns, dtype=np.int64), drop_KR, score, len(x_ND))


def steepest(
    net: nn.Module,
    x_ND: Tensor,
    count: int = CANDIDATES,
    item_shape: Sequence[int] | None = None,
    groups: Sequence[Sequence[int]] | None = None,
) -> tuple[int, ...]:
    """The ``count`` inputs, or groups of them, on which the outputs depend most steeply, in their own order.

    By the mean absolute slope of the sum of squared outputs, times the input's deviation: one backward
    pass instead of D forward passes. A coarse sieve before ``importance`` where inputs are many.
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
    """Orders of the rows for ``shuffled``, as scikit-learn's ``permutation_importance`` draws them."""
    random = np.random.RandomState(seed)
    order = np.arange(rows)
    orders = []
    for _ in range(repeats):
        random.shuffle(order)
        orders.append(torch.from_numpy(order.copy()))
    return orders


def shuffled(x_ND: Tensor, inputs: Sequence[int], orders: Sequence[Tensor]) -> Iterator[Tensor]:
    """Shuffle these inputs together in place, once for each order, and say which row each has them from.

    One shuffle after the other, as scikit-learn does; after the last the rows are as they were.
    """
    own = x_ND[:, inputs]
    lender_N = torch.arange(len(x_ND))
    for order_N in orders:
        lender_N = lender_N[order_N]
        x_ND[:, inputs] = own[lender_N]
        yield lender_N
    x_ND[:, inputs] = own


def _score(net: nn.Module, x: Tensor, y: Tensor, item_shape: Sequence[int] | None) -> float:
    out = outputs(net, x, item_shape=item_shape)
    if y.is_floating_point():
        return float((out - y).double().square().mean())
    return float((predicted_classes(out) == y).double().mean())
