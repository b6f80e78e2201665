"""The scores behind a run's prediction intervals and sets, from validation rows or rows outside each fold."""

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch

from treino.base.errors import Refusal, TreinoError
from treino.engine.metrics import probabilities
from treino.folders.documents.run_result import ConformalResult
from treino.folders.stored_run import StoredRun
from treino.inspection.conformal import (
    LEVEL,
    Conformal,
    FoldScores,
    check_coverage,
    class_sets,
    conformal,
    held_out_quantiles,
    members_spread,
    row_scores,
    units,
)
from treino.settings.spec import read_settings

COVERAGE_OF_SEVERAL = Refusal(
    "{n} networks answer with their mean, and no rows say how far off that is.", "Name one of them: {run}:0"
)


@dataclass(frozen=True)
class CoverageScores:
    """The scores that intervals or sets are made from, and the coverage that these should have.

    folds: set if the scores were measured on the rows outside each fold.
    """

    scores: Conformal
    level: float
    folds: FoldScores | None = None

    def held(self, run: StoredRun, x_ND: torch.Tensor, output_KNC: torch.Tensor) -> np.ndarray:
        """``[N, 2]``: the ends of each number's interval; or ``[N, C]``: whether a class is in the set.

        output_KNC: the outputs of the run's network, or of the networks of all folds.
        """
        spec = run.spec
        if spec.classes:
            share_KNC = torch.stack([probabilities(output_NC) for output_NC in output_KNC]).double().numpy()
            if self.folds is not None:
                return self.folds.sets(share_KNC, self.level)
            return class_sets(share_KNC[0], self.scores.quantile(self.level))
        floor, unlogged = (self.folds or self.scores).floor, run.preparation.unlogged
        number_KNC = run.preparation.linked(output_KNC.double())
        line_KN = (number_KNC[:, :, 0] * spec.target_scale + spec.target_mean).numpy()
        if self.folds is not None:
            ends_N2 = self.folds.intervals(line_KN, self.level)
        else:
            spread_N = members_spread(run.module, x_ND, spec.target_scale, run.item_shape)
            half_N = self.scores.quantile(self.level) * units(spread_N, self.scores.offset, len(x_ND))
            ends_N2 = np.stack([line_KN[0] - half_N, line_KN[0] + half_N], 1)
        ends_N2 = np.asarray(unlogged(ends_N2))
        if floor is not None:  # but an interval always contains its own prediction
            ends_N2[:, 0] = np.maximum(ends_N2[:, 0], np.minimum(floor, unlogged(line_KN.mean(0))))
        return ends_N2


def coverage_scores(run: StoredRun, coverage: float | None = None) -> CoverageScores | None:
    """The scores for intervals or sets of this coverage; None: there are none.

    coverage: default: the run's own; if it has none, 0.9 for numbers.

    Raises:
        TreinoError: the run's validation rows can't give the coverage; or another network predicts, and the
            validation rows, on which it would be measured, are not stored.
    """
    run, coverage = run.trusted, read_settings({"coverage": coverage}).coverage
    level = coverage or run.settings.get("coverage") or (None if run.spec.classes else LEVEL)
    if level is None:
        return None
    folds = run.fold_scores
    if folds is not None:
        known = conformal(folds.score_M, group=folds.group)
    elif run.others:
        if coverage is not None:
            raise COVERAGE_OF_SEVERAL(n=1 + len(run.others), run=run.folder.path.name)
        return None
    else:
        known = _known(run, asked=coverage is not None)
    if coverage is not None:
        check_coverage(known, coverage)
    return None if known is None or level > known.most else CoverageScores(known, level, folds)


def _known(run: StoredRun, *, asked: bool) -> Conformal | None:
    """The stored scores; else scores measured now, if a coverage is requested or another network predicts."""
    result = run.result if run.measured else None
    name = "prediction_sets" if run.spec.classes else "prediction_intervals"
    stored: ConformalResult | None = getattr(result, name, None)
    if stored is not None and stored.scores:
        scores = tuple(math.inf if score is None else score for score in stored.scores)
        return Conformal(scores, stored.rows, stored.shares, stored.effective, stored.offset, stored.floor)
    if asked:
        return _measured_anew(run)
    if not run.measured:
        with suppress(TreinoError):  # without its rows it predicts without intervals
            return _measured_anew(run)
    return None


def _measured_anew(run: StoredRun) -> Conformal | None:
    data = run.data
    if not len(data.validation) or (not data.classes and data.train.y.shape[1] != 1):
        return None
    return held_out_quantiles(row_scores(run.module, data.validation, data, run.item_shape))
