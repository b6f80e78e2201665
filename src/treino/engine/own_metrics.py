"""Metrics beside treino's own: scikit-learn's by name, other packages', and the user's functions.

Such a metric is a function of (truth, prediction), arrays of class numbers or of values in the target's unit,
as scikit-learn's are. One whose name ends in ``_error`` or ``_loss``, or that has
``greater_is_better = False``, decides by its smallest value.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.apps import of_packages
from treino.base.errors import Refusal, cause
from treino.base.own_calls import own_call
from treino.base.own_objects import is_kept, is_own, kept
from treino.base.words import N_
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
OWN_METRIC_CHANCE = Refusal(
    "The metric {name} gives two values for the same rows, so that no training could be repeated.",
    "Draw random numbers with the global generator of torch, NumPy or Python, and keep nothing in between.",
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
PROBABILITIES = "y_score", "y_prob", "y_proba", "y_pred_proba", "probability", "probabilities"


def entry(name: str) -> Metric | None:
    """The metric of this name: of scikit-learn, of another package, or the user's own."""
    if is_own(name) and not is_kept(name):
        return Metric(None, 1, None, N_("a function of the truth and the prediction"))
    value = kept(name) if is_own(name) else _of_sklearn(name) or of_packages("metric", name)
    if value is None:
        return None
    own = OwnMetric.of(name, value)
    return Metric(own.task, own.better, own, N_("a function of the truth and the prediction"), may_lack=True)


def _of_sklearn(name: str) -> Any:
    from sklearn import metrics

    if name in OF_SKLEARN:
        return getattr(metrics, OF_SKLEARN[name])
    if name in metrics.get_scorer_names():
        return metrics.get_scorer(name)
    value = getattr(metrics, name, None)
    takes = _parameters(value)[:2] if inspect.isfunction(value) else ()
    return value if takes[:1] == ("y_true",) and takes[-1] in ("y_pred", *PROBABILITIES) else None


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
    return any(scorer._score_func is function and _of_probabilities(scorer) for scorer in scorers)


def _of_probabilities(scorer: Any) -> bool:
    methods = scorer._response_method
    return methods != "predict" and "predict" not in (methods if isinstance(methods, tuple) else ())


@dataclass(frozen=True)
class OwnMetric:
    """A metric as a function of the inputs of metrics. better: +1 if larger is better, else -1.

    takes_probabilities: of two classes that of the second, else those of all. more: further arguments.
    sign: -1 for a scorer that negates its function, as ``neg_log_loss`` does.
    """

    name: str
    function: Callable[..., Any]
    better: int = 1
    takes_probabilities: bool = False
    task: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)
    sign: int = 1

    @classmethod
    def of(cls, name: str, value: Any) -> "OwnMetric":
        """The metric of a function, or of a scorer that scikit-learn's ``make_scorer`` made."""
        if hasattr(value, "_score_func"):
            scores, function = _of_probabilities(value), value._score_func
            task = "classification" if scores else _task_of_sklearn(function)
            return cls(name, function, 1, scores, task, value._kwargs, value._sign)
        word = getattr(value, "__name__", name)
        larger = getattr(value, "greater_is_better", not word.endswith(SMALLER_IS_BETTER))
        return cls(name, value, 1 if larger else -1, _wants_probabilities(value), _task_of_sklearn(value))

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
        if not np.isfinite(guess).all():
            return float("nan")
        weight = {} if inputs.weight_RN is None else {"sample_weight": inputs.weight_RN[row].numpy().copy()}
        if weight and "sample_weight" not in _parameters(self.function):
            raise OWN_METRIC_WEIGHTS(name=self.name)
        reseed(0)
        rows = len(true_N)
        with own_call(lambda error: OWN_METRIC_FAILS(name=self.name, rows=rows, cause=cause(error))):
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
