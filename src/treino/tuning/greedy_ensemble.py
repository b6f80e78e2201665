"""Greedy selection of a sweep's networks that answer together, and what that is worth on test rows.

Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of models": begin with the
best network, and add the one (again, perhaps) with which the mean of all answers validation rows best.
https://doi.org/10.1145/1015330.1015432
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.ensemble import mean_output
from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure
from treino.inspection.outputs import outputs, predicted_classes
from treino.resampling import percentile_interval, row_counts

DRAWS = 2000  # of the interval of what the ensemble is worth


def selection(output_MNC: Tensor, rows: Rows, loss: Loss, metric: str, places: int) -> list[int]:
    """Which of M networks (the best first) answer together, by their outputs on validation rows: at most so
    many places, a network with two of them counts twice. The best so far is kept where more make it worse.
    """
    better = METRICS[metric].better

    def figure(chosen: Sequence[int]) -> float:
        output_NC = mean_output(output_MNC[list(chosen)], loss.name)
        return better * float(measure(output_NC[None], rows.y, loss, 1.0)[metric][0])

    chosen, best = [0], [0]
    best_figure = figure(best)
    while len(chosen) < places:
        chosen = max(([*chosen, m] for m in range(len(output_MNC))), key=figure)
        if figure(chosen) > best_figure:
            best, best_figure = chosen, figure(chosen)
    return best


def greedy_ensemble(
    nets: Sequence[nn.Module], members: Sequence[int], data: Data, loss: Loss, metric: str, places: int
) -> dict[str, Any]:
    """The part ``ensemble`` of the sweep's document. nets: the winner first; members: their numbers."""
    validation = _answers(nets, data.validation, data)
    chosen = selection(validation, data.validation, loss, metric, places)
    shown = "accuracy" if data.classes else "rmse"
    found: dict[str, Any] = {"members": [members[m] for m in chosen], "metric": shown}
    found["validation"] = _figures(validation[chosen], data.validation, loss, data)
    found |= dict.fromkeys(("test", "alone", "difference", "difference_interval"))
    if len(data.test):
        test = _answers(nets, data.test, data)
        found["test"] = _figures(test[chosen], data.test, loss, data)
        found["alone"] = _figures(test[:1], data.test, loss, data)
        difference = _difference(mean_output(test[chosen], loss.name), test[0], data)
        found["difference"], found["difference_interval"] = difference
    return found


def _answers(nets: Sequence[nn.Module], rows: Rows, data: Data) -> Tensor:
    shape = data.item_shape if data.kind == "image" else None
    return torch.stack([outputs(net, rows.x, item_shape=shape) for net in nets])


def _figures(output_KNC: Tensor, rows: Rows, loss: Loss, data: Data) -> dict[str, float]:
    found = measure(mean_output(output_KNC, loss.name)[None], rows.y, loss, data.target_scale)
    return {name: float(value[0]) for name, value in found.items()}


def _difference(both_NC: Tensor, alone_NC: Tensor, data: Data) -> tuple[float, list[float]]:
    """Accuracy or RMSE together less that of the winner alone, and its interval over draws of test rows."""
    y, r = data.test.y, np.random.RandomState(0)

    def score_N(output_NC: Tensor) -> np.ndarray:
        if not data.classes:
            return np.asarray((output_NC.double() - y.double()).square().mean(1) * data.target_scale**2)
        return np.asarray((predicted_classes(output_NC) == y).double())

    score_2N = np.stack([score_N(both_NC), score_N(alone_NC)])
    turned = (lambda mean: mean) if data.classes else np.sqrt
    together, alone = turned(score_2N.mean(1))
    counts = row_counts(len(y), DRAWS, lambda shape: r.randint(0, len(y), shape))
    drawn_B2 = turned(np.concatenate([count_BN @ score_2N.T for count_BN in counts]) / len(y))
    return float(together - alone), list(percentile_interval(drawn_B2[:, 0] - drawn_B2[:, 1]))
