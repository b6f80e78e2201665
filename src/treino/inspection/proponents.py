"""The training rows that speak most for an answer, such as a mistake: an estimate by a few small networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.words import N_
from treino.data.dataset import Data
from treino.engine.nets import is_picture
from treino.inspection.row_influence import MOST, estimates, gradient_numbers
from treino.inspection.row_xray import AXES, FEWEST_NETWORKS, RowXray, xray

PROPONENTS_SLOW = Refusal(
    "proponents_slow",
    N_("For {n:,} training rows of {inputs:,} inputs that takes long."),
    N_("For one row: treino rows {run} [[of=ROW]]"),
)

MOST_NETWORKS, STEPS = 32, 400
WORK = 4e10  # multiplications of the estimate: with the training about two seconds


@dataclass(frozen=True, eq=False)
class Proponents:
    """The K training rows that speak most for the answer to a row, the strongest first.

    place, place_K: of the row and of these in the x-ray. answer: a class number, or a value in the target's
    own units. effect_K: what each adds to it: of classes in log-odds of the class, of numbers in these units.
    """

    place: int
    answer: float
    place_K: NDArray[np.int64]
    effect_K: NDArray[np.float64]


def quick_xray(data: Data, name: str) -> RowXray:
    """An x-ray by so few networks that it takes no more than about two seconds. name: the run, as typed.

    Raises:
        TreinoError: too many rows or inputs for that; as ``xray``.
    """
    inputs = min(data.inputs, AXES) if is_picture(data.item_shape) else data.inputs
    numbers = gradient_numbers(inputs, len(data.classes) or 1)
    networks = min(MOST_NETWORKS, int(WORK / (len(data.train) * numbers**2)))
    if networks < FEWEST_NETWORKS:
        raise PROPONENTS_SLOW(n=len(data.train), inputs=data.inputs, run=name)
    return xray(data, networks=networks, steps=STEPS)


def proponents(x: RowXray, rows: Sequence[int], answers: Sequence[float]) -> list[Proponents]:
    """Find the proponents of each row. rows: their numbers. answers: class numbers, or values in the target's
    own units.

    Raises:
        TreinoError: there is no such row.
    """
    place_M, classes = [x.place(row) for row in rows], bool(x.data.classes)
    class_M = torch.tensor(answers).long() if classes else None
    effect_MN = estimates(x.halves, x.x_MD[torch.tensor(place_M)], class_M) * x.data.target_scale
    side_M = np.ones(len(rows))
    if not classes:  # towards the answer, which lies above the truth or below
        side_M = np.where(np.array(answers) < x.label_M[place_M], -1.0, 1.0)
    found = []
    for place, answer, side, effect_N in zip(place_M, answers, side_M, effect_MN, strict=True):
        toward_N = effect_N * side
        toward_N[place : place + 1] = 0.0  # itself; nothing where it is no training row
        place_K = np.argsort(-toward_N, kind="stable")[:MOST]
        place_K = place_K[toward_N[place_K] > 0]
        found.append(Proponents(place, answer, place_K, effect_N[place_K]))
    return found
