"""The influence of training rows on a prediction: estimated for all, measured for the most influential.

The estimate is TRAK's (Park et al. 2023, https://arxiv.org/abs/2303.14186): the networks of the x-ray are
linear in their weights near where they ended, and for a linear model the effect of a row has a formula. A
regression on which network saw which row (datamodels, Ilyas et al. 2022, https://arxiv.org/abs/2202.00622)
needs far more networks than rows. To measure an effect, networks are trained again without the row, from the
same initial weights. The rows behind a mistake are estimated by a few small networks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal
from treino.data import Data
from treino.engine import generator, is_picture, member_seeds
from treino_xray.row_xray import AXES, FEWEST_NETWORKS, HIDDEN, Halves, RowXray, small_networks, xray

MOST = 5  # maximum number of rows that push up, and of rows that push down
SEEDS = 32  # networks with the row, and the same number without it
DAMPING = 1.0  # times the mean of the kernel's diagonal
LEAST_CURVATURE = 1e-3  # of a row's log-loss
WIDE = 32  # a layer with more units or inputs has its inputs projected to this number
FEWEST, LARGEST = 8, 64  # least and largest number of networks that the estimate is a mean over
WORK = 4e11  # maximum number of multiplications

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Push:
    """The effect of a training row on a prediction.

    row: its number. place: its place in the x-ray. estimate, measured: the prediction with the row minus the
    one without it: in log-odds of the predicted class, or in the target's units for numbers. deviation: the
    standard error of ``measured``. without: the prediction without the row: for classes the probability.
    """

    row: int
    place: int
    estimate: float
    measured: float
    deviation: float
    without: float


@dataclass(frozen=True, eq=False)
class Influence:
    """The training rows that influenced the prediction of one row.

    place: its place in the x-ray. answer: the predicted class's number, or the value. with_all: the class's
    probability, or the value, by networks that saw all other rows. up, down: the rows that push it most, the
    strongest first. estimate_N: the estimate for all training rows.
    """

    place: int
    answer: float
    with_all: float
    up: tuple[Push, ...]
    down: tuple[Push, ...]
    estimate_N: Floats


def influence(xray: RowXray, row: int, *, most: int = MOST, seeds: int = SEEDS) -> Influence:
    """The training rows that push the prediction of a row most, and how far.

    Raises:
        TreinoError: there is no such row.
    """
    place = xray.place(row)
    classes = bool(xray.data.classes)
    answer = int(xray.answer_M[place]) if classes else None
    answer_1 = torch.tensor([answer]) if classes else None
    (estimate_N,) = estimates(xray.halves, xray.x_MD[place][None], answer_1)
    if place < len(estimate_N):
        estimate_N[place] = 0.0  # a row's effect on itself is left out
    order_N = np.argsort(estimate_N, kind="stable")
    up, down = order_N[::-1][:most], order_N[:most]
    chosen_K = np.array([*(n for n in up if estimate_N[n] > 0), *(n for n in down if estimate_N[n] < 0)], int)
    value_GS = measured(xray.halves, xray.x_MD[place], answer, chosen_K, place, seeds)
    value_GS = value_GS if classes else xray.data.preparation.values(value_GS)
    told_G = (torch.sigmoid(value_GS) if classes else value_GS).mean(1).numpy()
    scale = 1.0 if classes else float(xray.data.preparation.slope(told_G[0]))
    effect_KS = (value_GS[:1] - value_GS[1:]).numpy()
    pushes = [
        Push(
            int(xray.index_M[n]),
            int(n),
            float(estimate_N[n] * scale),
            float(effect_S.mean()),
            float(effect_S.std(ddof=1) / seeds**0.5),
            float(told),
        )
        for n, effect_S, told in zip(chosen_K, effect_KS, told_G[1:], strict=True)
    ]
    return Influence(
        place,
        float(xray.answer_M[place]) if classes else float(told_G[0]),
        float(told_G[0]),
        tuple(p for p in pushes if p.estimate > 0),
        tuple(p for p in pushes if p.estimate < 0),
        estimate_N * scale,
    )


# ---- the estimate


def estimates(halves: Halves, x_KD: Tensor, answer_K: Tensor | None) -> Floats:
    """``[K, N]``: the estimated effect of each training row on the output for each of K rows, as a mean over
    the networks that saw it: on the log-odds of the class ``answer_K``, or the standardised value."""
    numbers = gradient_numbers(x_KD.shape[1], halves.training.outputs)
    most = int(WORK / (len(halves.x_ND) * numbers**2))
    total_KN = torch.zeros(len(x_KD), len(halves.x_ND))
    networks = min(len(halves.seen_PN), max(FEWEST, min(LARGEST, most)))
    y_K = halves.y[:1].expand(len(x_KD), -1) if answer_K is None else answer_K
    for layers, seen_N in zip(_networks(halves, networks), halves.seen_PN, strict=False):
        feature_Nn, error_N = _features(layers, halves.x_ND, halves.y)
        feature_Kn, _error = _features(layers, x_KD, y_K)
        curvature_N = torch.ones_like(error_N)
        if answer_K is not None:  # the generalised Gauss-Newton matrix of the log-loss
            curvature_N = (error_N * (1 - error_N)).clamp(min=LEAST_CURVATURE)
        kernel_nn = (feature_Nn * curvature_N[:, None]).T @ feature_Nn
        kernel_nn.diagonal().add_(DAMPING * kernel_nn.diagonal().mean())
        root_nn = torch.linalg.cholesky(kernel_nn)
        total_KN += (feature_Nn @ torch.cholesky_solve(feature_Kn.T, root_nn)).T * (error_N * seen_N)
    seen_by_N = halves.seen_PN[:networks].sum(0).clamp(min=1)
    return (total_KN / seen_by_N).double().numpy()


def gradient_numbers(inputs: int, outputs: int) -> int:
    """Return the size of a row's gradient, with wide layers projected."""
    return sum(min(i, WIDE) * o for i, o in pairwise([inputs, HIDDEN, outputs]))


Layers = list[tuple[Tensor, Tensor]]


def _networks(halves: Halves, networks: int) -> Iterator[Layers]:
    """The weights ``[O, I]`` and biases ``[O]`` of each layer of some networks."""
    named = list(halves.population.layout.views(halves.population.params))
    for p in range(networks):
        yield [
            (weight_POI[p], bias_PO[p]) for weight_POI, bias_PO in zip(named[::2], named[1::2], strict=True)
        ]


def _features(layers: Layers, x_ND: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """``[N, n]``: the gradient by the weights of each row's log-odds of its class, or of its value, with wide
    layers projected; and ``[N]``: the difference between the network's output and the row's label."""
    inputs = [x_ND]
    for weight_OI, bias_O in layers:
        output_NO = inputs[-1] @ weight_OI.T + bias_O
        inputs.append(output_NO.relu())
    if y.is_floating_point():
        slope_NO, error_N = torch.ones_like(output_NO), (y - output_NO)[:, 0]
    else:
        share_NC = output_NO.softmax(1)
        others_NC = share_NC.scatter(1, y[:, None], 0.0)
        others_N1 = others_NC.sum(1, keepdim=True)
        slope_NO = (-others_NC / others_N1.clamp(min=1e-9)).scatter(1, y[:, None], 1.0)
        error_N = others_N1[:, 0]
    features = []
    for place in reversed(range(len(layers))):
        seen_NI = _projected(torch.cat([inputs[place], torch.ones(len(x_ND), 1)], 1), place)
        features.append((slope_NO[:, :, None] * seen_NI[:, None, :]).flatten(1))
        slope_NO = (slope_NO @ layers[place][0]) * (inputs[place] > 0)
    return torch.cat(features, 1), error_N


def _projected(input_NI: Tensor, place: int) -> Tensor:
    """The inputs of a layer; if there are more than ``WIDE``, on random axes, which keep products of rows."""
    inputs = input_NI.shape[1]
    if inputs <= WIDE + 1:
        return input_NI
    axes = torch.randn(inputs, WIDE, generator=generator(place, "influence")) / WIDE**0.5
    projected: Tensor = input_NI @ axes
    return projected


# ---- the measurement


def measured(
    halves: Halves, x_D: Tensor, answer: int | None, without_K: NDArray[np.int64], place: int, seeds: int
) -> Tensor:
    """``[1 + K, S]``: the output for one row (as in ``estimates``) by networks that saw all training rows but
    the one at ``place``, then by networks that did not see one of ``without_K`` either; each from the same S
    initial weights, trained as long as the x-ray's."""
    weight_GN = halves.weight_N.repeat(1 + len(without_K), 1)
    weight_GN[:, place : place + 1] = 0  # an empty slice if the row is no training row
    weight_GN[torch.arange(1, len(weight_GN)), torch.from_numpy(without_K)] = 0
    bag_P = torch.arange(len(weight_GN)).repeat_interleave(seeds).tolist()
    each = [*member_seeds(1, seeds)] * len(weight_GN)
    training = small_networks(halves.x_ND, halves.y, weight_GN, bag_P, each, steps=halves.steps)
    for _tick in training:
        pass
    output_PC = training.answers(training.kept_population(range(len(bag_P))), x_D[None])[:, 0].double()
    if answer is None:
        return output_PC[:, 0].view(-1, seeds)
    log_PC = output_PC.log_softmax(1)
    others_P = torch.cat([log_PC[:, :answer], log_PC[:, answer + 1 :]], 1).logsumexp(1)
    return (log_PC[:, answer] - others_P).view(-1, seeds)


# ---- the rows that contribute most to a prediction, such as a mistake

PROPONENTS_SLOW = Refusal(
    "For {n:,} training rows of {inputs:,} inputs that takes long.",
    "For one row: treino rows {run} [[of={row}]]",
)

MOST_NETWORKS, STEPS = 32, 400
FEWEST_SAMPLED = 200  # fewer rows of many would say little
QUICK_WORK = 4e10  # multiplications of the estimate: about two seconds, training included


@dataclass(frozen=True, eq=False)
class Proponents:
    """The K training rows that contribute most to the prediction of a row, the largest contribution first.

    place, place_K: the places of the row and of these in the x-ray. answer: a class number, or a value in
    the target's own units. effect_K: what each adds to it: in log-odds of the class, or in these units.
    """

    place: int
    answer: float
    place_K: NDArray[np.int64]
    effect_K: NDArray[np.float64]


def quick_xray(data: Data, name: str, of: Sequence[int]) -> RowXray:
    """An x-ray by few networks, of a sample where the training rows are many, so that it takes no more than a
    few seconds. name: the run, as typed. of: the numbers of the rows that it is for.

    Raises:
        TreinoError: too many classes, or picture files, for that; as ``xray``.
    """
    inputs = min(data.inputs, AXES) if is_picture(data.item_shape) else data.inputs
    numbers = gradient_numbers(inputs, len(data.classes) or 1)
    rows = min(len(data.train), int(QUICK_WORK / (FEWEST_NETWORKS * numbers**2)))
    least = FEWEST_SAMPLED if data.picture_files is None else len(data.train)  # files are read whole
    if rows < min(len(data.train), least):
        raise PROPONENTS_SLOW(n=len(data.train), inputs=data.inputs, run=name, row=of[0])
    networks = min(MOST_NETWORKS, int(QUICK_WORK / (rows * numbers**2)))
    return xray(data, networks=networks, steps=STEPS, most_rows=rows, holding=of)


def proponents(x: RowXray, rows: Sequence[int], answers: Sequence[float]) -> list[Proponents]:
    """Find the proponents of each row. rows: their numbers. answers: class numbers, or values in the target's
    own units.

    Raises:
        TreinoError: there is no such row.
    """
    place_M, classes = [x.place(row) for row in rows], bool(x.data.classes)
    class_M = torch.tensor(answers).long() if classes else None
    slope_M1 = 1.0 if classes else x.data.preparation.slope(np.array(answers)[:, None])
    effect_MN = estimates(x.halves, x.x_MD[torch.tensor(place_M)], class_M) * slope_M1
    side_M = np.ones(len(rows))
    if not classes:  # the sign of the answer's difference from the truth
        side_M = np.where(np.array(answers) < x.label_M[place_M], -1.0, 1.0)
    found = []
    for place, answer, side, effect_N in zip(place_M, answers, side_M, effect_MN, strict=True):
        toward_N = effect_N * side
        toward_N[place : place + 1] = 0.0  # the row itself; an empty slice if it is no training row
        place_K = np.argsort(-toward_N, kind="stable")[:MOST]
        place_K = place_K[toward_N[place_K] > 0]
        found.append(Proponents(place, answer, place_K, effect_N[place_K]))
    return found
