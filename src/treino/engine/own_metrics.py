"""Metrics beside treino's own: scikit-learn's by name, other packages', and the user's functions.

Such a metric is a function of (truth, prediction), arrays of class numbers or of values in the target's unit,
as scikit-learn's are. Its attribute ``greater_is_better`` says whether its largest value is the best. Without
one, a trial decides: whether right answers get more than the mean or the commonest class. Its name decides
where these get the same.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal, TreinoError
from treino.base.library_parts import scorer_parts
from treino.base.own_calls import own_call
from treino.base.own_objects import called_by
from treino.base.registry import OwnKind
from treino.base.words import N_, _
from treino.data.preparation.preparation import Deviation
from treino.engine.metrics import Metric, MetricInputs, probabilities
from treino.engine.rng import fork_rng, reseed

OWN_METRIC_FAILS = Refusal(
    "The metric {name} fails on {rows} rows: {cause}",
    "It is called as scikit-learn's: metric(truth, prediction), two arrays of {rows} numbers.",
)
OWN_METRIC_RESULT = Refusal(
    "The metric {name} returns {got} and not one number.",
    "Return a float: the mean over the rows, for example.",
)
OWN_METRIC_NAN = Refusal(
    "The metric {name} is NaN (no number) on the {rows} validation rows, so that it can't decide.",
    "Return a finite number; for rows that it isn't defined on, the worst one.",
)
OWN_METRIC_WEIGHTS = Refusal(
    "The metric {name} can't weigh rows, and these rows have weights.",
    "Give it an argument sample_weight, as scikit-learn's have; or use another metric.",
)

OF_SKLEARN = {
    "mape": "mean_absolute_percentage_error",
    "pinball": "mean_pinball_loss",
    "cohen_kappa": "cohen_kappa_score",
    "matthews_corrcoef": "matthews_corrcoef",
}
"""Short names of scikit-learn's metrics that are none of its scorers."""
SMALLER_IS_BETTER = "_error", "_loss", "_deviance"
TRIALS: dict[str, NDArray[Any]] = {
    "regression": np.array([1.0, 2, 3, 5, 8, 13, 21, 34]),
    "classification": np.array([0, 0, 0, 1, 0, 1, 0, 1]),
}
"""The truths of a trial for each task."""
DIRECTION = N_("Of the metric {name} the {end} value is the best, {why}.")
TRIED = N_("as right answers got {right} in a trial, and one and the same for all rows {constant}")
BY_NAME = N_("by its name alone: its attribute greater_is_better would say it")
DECLARED = N_("as its attribute greater_is_better says")
DOUBTED = N_("as its greater_is_better says, but right answers got {right}, and one for all rows {constant}")
PROBABILITIES = "y_score", "y_prob", "y_proba", "y_pred_proba", "probability", "probabilities"


def _metric(name: str, value: Any) -> Metric:
    about = N_("a function of the truth and the prediction")
    if value is None:
        return Metric(None, 1, None, about)
    own = OwnMetric.of(name, value)
    of_positions = own.task or scorer_parts(value) or _task_of_sklearn(own.function)
    return Metric(own.task, own.better, own, about, may_lack=True, by_axes=not of_positions)


def _of_sklearn(name: str) -> Any:
    from sklearn import metrics

    if name in OF_SKLEARN:
        return getattr(metrics, OF_SKLEARN[name])
    if name in metrics.get_scorer_names():
        return metrics.get_scorer(name)
    value = getattr(metrics, name, None)
    takes = _parameters(value)[:2] if inspect.isfunction(value) else ()
    return value if takes[:1] == ("y_true",) and takes[-1] in ("y_pred", *PROBABILITIES) else None


OTHERS = N_("Others: one of scikit-learn's, a function of (truth, prediction), or FILE.py:NAME.")
OWN = OwnKind("metric", _metric, _of_sklearn, hint=OTHERS)


def _task_of_sklearn(function: Any) -> Any:
    """The task that scikit-learn's function is for; None for other functions."""
    module = getattr(function, "__module__", None) or ""
    if not module.startswith("sklearn.metrics."):
        return None
    return "regression" if module.endswith("._regression") else "classification"


def _wants_probabilities(function: Any) -> bool:
    """By its arguments, or by its scorer, as of log_loss, whose probabilities are called y_pred."""
    if not {*_parameters(function)}.isdisjoint(PROBABILITIES):
        return True
    if _task_of_sklearn(function) != "classification":
        return False
    from sklearn import metrics

    scorers = map(metrics.get_scorer, metrics.get_scorer_names())
    parts = filter(None, map(scorer_parts, scorers))
    return any(scores and its is function for its, _sign, _more, scores in parts)


@dataclass(frozen=True)
class OwnMetric:
    """A metric as a function of the inputs of metrics. better: +1 if larger is better, else -1.

    takes_probabilities: of two classes that of the second, else those of all. more: further arguments.
    sign: -1 for a scorer that negates its function, as ``neg_log_loss`` does. reason: why larger or smaller
    is better, as a sentence; "" of a scorer, which scikit-learn says it of.
    """

    name: str
    function: Callable[..., Any]
    better: int = 1
    takes_probabilities: bool = False
    task: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)
    sign: int = 1
    reason: str = ""

    @classmethod
    def of(cls, name: str, value: Any) -> "OwnMetric":
        """The metric of a function, or of a scorer that scikit-learn's ``make_scorer`` made."""
        if scorer := scorer_parts(value):
            function, sign, arguments, scores = scorer
            task = "classification" if scores else _task_of_sklearn(function)
            return cls(name, function, 1, scores, task, arguments, sign)
        plain = cls(name, value, 1, _wants_probabilities(value), _task_of_sklearn(value))
        better, reason = plain._direction()
        return replace(plain, better=better, reason=reason)

    def _direction(self) -> tuple[int, str]:
        """+1 if larger is better, else -1; and why."""
        word = called_by(self.function)
        declared = getattr(self.function, "greater_is_better", getattr(word, "greater_is_better", None))
        with fork_rng():
            pairs = [pair for task in TRIALS if self.task in (None, task) and (pair := self._tried(task))]
        tried = {(right > constant) - (right < constant) for right, constant in pairs}
        if declared is not None:
            larger, why = bool(declared), DECLARED if tried <= {0, 1 if declared else -1} else DOUBTED
        elif tried in ({1}, {-1}):
            larger, why = tried == {1}, TRIED
        else:
            larger, why = not getattr(word, "__name__", self.name).endswith(SMALLER_IS_BETTER), BY_NAME
        right, constant = pairs[0] if pairs else (0.0, 0.0)
        end = _("largest") if larger else _("smallest")
        why = _(why).format(right=f"{right:.4g}", constant=f"{constant:.4g}")
        return 1 if larger else -1, _(DIRECTION).format(name=self.name, end=end, why=why)

    def _tried(self, task: str) -> tuple[float, float] | None:
        """What right answers get, and what the mean or the commonest class gets; None if it is no number."""
        true_N = TRIALS[task]
        constant = true_N.mean() if task == "regression" or self.takes_probabilities else true_N.min()
        try:
            answers = true_N.astype(float if self.takes_probabilities else true_N.dtype)
            right = self._number(true_N, answers)
            other = self._number(true_N, np.full_like(answers, constant))
        except TreinoError:
            return None
        return (right, other) if math.isfinite(right - other) else None

    def __call__(self, inputs: MetricInputs) -> Tensor:
        """``[R]`` float64.

        Raises:
            TreinoError: the function fails or returns no number.
        """
        with fork_rng():
            values = [self._of_one(inputs, row) for row in range(len(inputs.output_RNC))]
        return torch.tensor(values, dtype=torch.float64)

    def _of_one(self, inputs: MetricInputs, row: int) -> float:
        true_N = inputs.y_RN[row].numpy()
        if inputs.y.is_floating_point():
            scale: Any = inputs.scale
            mean = scale.mean if isinstance(scale, Deviation) else 0.0  # of rows that are their own unit
            true_N = true_N * float(scale) + mean
            guess: NDArray[Any] = inputs.output_RNC[row, :, 0].numpy() * float(scale) + mean
        elif self.takes_probabilities:
            guess = probabilities(inputs.output_RNC[row]).numpy()
            guess = guess[:, 1] if guess.shape[1] == 2 else guess
        else:
            guess = inputs.guess_RN[row].numpy()
        if inputs.axes:
            true_N = true_N.reshape(-1, *inputs.axes)
            guess = guess.reshape(*true_N.shape, *guess.shape[1:])
        if not np.isfinite(guess).all():
            return float("nan")
        weight = {} if inputs.weight_RN is None else {"sample_weight": inputs.weight_RN[row].numpy().copy()}
        if weight and "sample_weight" not in _parameters(self.function):
            raise OWN_METRIC_WEIGHTS(name=self.name)
        return self._number(true_N, guess, **weight)

    def _number(self, true_N: NDArray[Any], guess: NDArray[Any], **weight: Any) -> float:
        """What the function returns for copies of these, as a number."""
        reseed(0)
        rows = len(true_N)
        with own_call(OWN_METRIC_FAILS.of_cause(name=self.name, rows=rows)):
            value = self.function(true_N.copy(), guess.copy(), **self.more, **weight)
        try:
            return float(value) * self.sign
        except (TypeError, ValueError):
            raise OWN_METRIC_RESULT(name=self.name, got=type(value).__name__) from None


def _parameters(function: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()
