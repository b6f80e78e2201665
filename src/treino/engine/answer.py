"""Greedy selection of the networks whose mean predicts best.

Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of models": begin with the
best network, and repeatedly add the network, possibly again, that most improves the validation figure of the
mean.
https://doi.org/10.1145/1015330.1015432
"""

from collections.abc import Callable

import torch
from torch import Tensor

from treino.engine.losses import Loss

TINY = 1e-30  # stands for a probability of 0


def greedy(
    value_KX: Tensor, badness: Callable[[Tensor], Tensor], places: int, first: int | None = None
) -> list[int]:
    """The candidates whose mean is best, at most ``places``; a candidate may occur several times.

    value_KX: each candidate's values to average. badness(mean_KX) ``[K]``: the smaller the better; NaN is
    worst. first: the candidate to begin with; None: the best.
    """

    def of(mean_KX: Tensor) -> Tensor:
        return badness(mean_KX).nan_to_num(torch.inf)

    bad_K = of(value_KX)
    chosen = [int(bad_K.argmin()) if first is None else first]
    best, least = chosen, float(bad_K[chosen[0]])
    total_X = value_KX[chosen[0]].clone()
    while len(chosen) < places:
        bad_K = of((total_X + value_KX) / (len(chosen) + 1))
        chosen = [*chosen, int(bad_K.argmin())]
        total_X += value_KX[chosen[-1]]
        if float(bad_K[chosen[-1]]) < least:
            best, least = chosen, float(bad_K[chosen[-1]])
    return best


def averaged_values(output_KNC: Tensor, loss: Loss) -> Tensor:
    """Return what an ensemble averages, in float64: probabilities ``[K, N, C]`` (with one output: that of its
    class), or the outputs for regression."""
    output_KNC = output_KNC.detach().cpu().double()
    if loss.classes:
        parts = output_KNC.split(loss.classes, -1)
        return torch.cat([averaged_values(part, loss.single) for part in parts], -1)
    if loss.task == "regression":
        return output_KNC
    return output_KNC.softmax(-1) if loss.of_classes else output_KNC.sigmoid()


def as_outputs(value_KNC: Tensor, loss: Loss) -> Tensor:
    """Convert the mean of ``averaged_values`` to outputs such as a single network gives."""
    if loss.task == "regression":
        return value_KNC
    log_KNC = value_KNC.clamp(min=TINY).log()
    return log_KNC if loss.of_classes else log_KNC - (1 - value_KNC).clamp(min=TINY).log()
