"""Tables of trials with known scores, for the tests of the judgement."""

import math

import numpy as np
from numpy.typing import NDArray

from treino_judge.table import Trial, TrialTable, Unit


def table_of(score_MU: NDArray[np.float64], unit: Unit | None = "seed", better: int = 1, **settings: object):
    """A table of trials with these scores of the same units; without a unit the means alone.

    settings: for each setting its values, one for each trial.
    """
    trials = []
    for number, scores in enumerate(score_MU):
        own = {} if unit is None else {i: float(v) for i, v in enumerate(scores) if not math.isnan(v)}
        chosen = {name: list(values)[number] for name, values in settings.items()}
        mean = float(np.nanmean(scores))
        trials.append(Trial(str(number), "finished", mean, own, chosen, 10.0))
    folds = score_MU.shape[1] if unit == "fold" else 0
    return TrialTable("table", None, "score", better, unit, folds, tuple(trials), ())
