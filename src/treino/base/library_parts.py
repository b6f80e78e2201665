"""Private parts of libraries that have no public door for them, each read here alone."""

from collections.abc import Callable, Mapping, MutableMapping
from copy import copy
from importlib.metadata import version
from typing import Any

from treino.base.errors import Refusal

PART_GONE = Refusal(
    "treino needs a part that {library} {version} lacks: {cause}.",
    "Install another of its versions: scikit-learn 1.9.1 and torch 2.13.0 have all parts.",
    status=1,
)


def _parts(library: str, holder: object, *names: str) -> list[Any]:
    try:
        return [getattr(holder, name) for name in names]
    except AttributeError as error:
        raise PART_GONE(library=library, version=version(library), cause=error) from None


def scorer_parts(value: object) -> tuple[Callable[..., Any], int, Mapping[str, Any], bool] | None:
    """The function of scikit-learn's scorer, the sign of its value, further arguments, and whether it takes
    probabilities; None of another object. Tried with 1.6.1 and 1.9.1."""
    if not type(value).__module__.startswith("sklearn.metrics."):
        return None
    names = "_score_func", "_sign", "_kwargs", "_response_method"
    function, sign, arguments, methods = _parts("scikit-learn", value, *names)
    return function, sign, arguments, "predict" not in ([methods] if isinstance(methods, str) else methods)


def boosting_parts(model: object) -> list[Any]:
    """What scikit-learn's HistGradientBoosting answers before its first round, and the trees of each round.
    Tried with 1.6.1 and 1.9.1."""
    return _parts("scikit-learn", model, "_baseline_prediction", "_predictors")


def later_boosting(model: Any, start: Any, first: int) -> Any:
    """The model from round ``first`` on, before which it answers ``start``. Tried as ``boosting_parts``."""
    later, (_start, rounds) = copy(model), boosting_parts(model)
    later._baseline_prediction, later._predictors = start, rounds[first:]
    return later


def forward_pre_hooks(module: object) -> list[MutableMapping[int, Any]]:
    """A module's hooks of torch by their keys; and which of these take keywords. Tried with 2.13.0."""
    return _parts("torch", module, "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs")


def gradient_hooks(parameter: object) -> list[Any]:
    """A parameter's hooks of torch. Tried with 2.13.0."""
    return [*(_parts("torch", parameter, "_backward_hooks")[0] or {}).values()]
