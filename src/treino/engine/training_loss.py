"""Which loss a training has, and whether it fits the targets and the settings.

Errors in the arguments are raised here, before the first step.
"""

import math

import torch

from treino.base.errors import Refusal, TreinoError
from treino.base.own_objects import is_own, kept
from treino.base.words import _, setting
from treino.data.rows import IGNORED
from treino.engine.bags import Bags
from treino.engine.inputs import Inputs
from treino.engine.losses import LOSSES, Loss, quantile_levels
from treino.engine.metrics import further_metric
from treino.engine.train_config import TrainConfig
from treino.settings.spec import Settings, faults_of

LOSS_TASK = Refusal("The loss {name} is for {its}, and this is {task}.", "Use {names}.")
CLASS_WEIGHTS_TARGETS = Refusal(
    "[[class_weights]] weighs the classes of one target, and there are {n}.",
    "Leave it out, or train a network for that target alone.",
)
CLASS_WEIGHTS_COUNT = Refusal(
    "[[class_weights]] has {n} numbers, and there are {c} classes: {names}.",
    "Give one number above 0 for each class in this order, or 'balanced'.",
)
LOSS_DATA = Refusal(
    "These targets were prepared for a loss of another kind than {name}.",
    "Give the training the source itself, not loaded rows; compare losses of one kind with one another.",
)
LOSS_LOWEST = Refusal(
    "The loss {name} is for numbers {range}, and a target is {value:.6g}.",
    "Correct the target, or use another loss: mse, l1 or huber.",
)
LOSS_TARGETS = Refusal(
    "The loss {name} has several outputs for one target, and there are {n} targets.",
    "Train each target alone, or by another loss: mse, l1 or huber.",
)

USUAL_LOSS = {"classification": "cross_entropy", "regression": "mse"}
SOFTMAX_FIRST = "softmax_before_cross_entropy"


def loss_of(config: TrainConfig, inputs: Inputs, bags: Bags | None = None) -> tuple[Loss, str]:
    """Return the loss, and a sentence on why it was chosen.

    Raises:
        TreinoError: the loss doesn't fit the target or number of classes; a setting doesn't fit the loss.
    """
    name, reason = _name(config, inputs)
    for own in filter(is_own, (name, config.shared.metric, config.shared.optimizer)):
        kept(own)  # raises if it isn't there
    check_loss(config.shared, name, inputs.task)
    if inputs.task == "classification" and LOSSES[name].outputs == 1 and (inputs.classes != 2 or inputs.each):
        raise TreinoError(
            f"{name}_classes",
            _("The loss {name} is for two classes, and there are {n}.").format(name=name, n=inputs.classes),
            _("Use cross_entropy."),
        )
    levels = quantile_levels(config.shared, name)
    if LOSSES[name].joint and (inputs.classes > 1 or inputs.axes):
        raise LOSS_TARGETS(name=name, n=inputs.classes * math.prod(inputs.axes))
    weights = _class_weights(config, inputs, bags)
    smoothing, further = config.shared.label_smoothing, further_metric(config.shared.metric)
    softmax_first = SOFTMAX_FIRST in config.faults
    one = Loss(name, smoothing, weights, softmax_first, inputs.each, inputs.task, further, (), levels)
    return one, reason


def check_loss(s: Settings, name: str | None, task: str | None) -> None:
    """Refuse a loss that isn't of the task, and settings that it doesn't read. name, task: None if the data
    decides."""
    name = name or USUAL_LOSS.get(str(task))
    if name is None:
        return
    if task is not None and LOSSES[name].task not in (None, task):
        fitting = [n for n, kind in LOSSES.items() if kind.task == task]
        raise LOSS_TASK(
            name=name, its=_(str(LOSSES[name].task)), task=_(str(task)), names=_(" or ").join(fitting)
        )
    extras = {
        "label_smoothing": s.label_smoothing != 0,
        "class_weights": s.class_weights is not None,
        "quantiles": s.quantiles is not None,
        SOFTMAX_FIRST: SOFTMAX_FIRST in faults_of(s),
    }
    for extra, used in extras.items():
        if used and extra not in LOSSES[name].reads:
            reader = next(n for n, kind in LOSSES.items() if extra in kind.reads)
            other, what = LOSSES[name].task != LOSSES[reader].task, setting(extra)
            use = _("Use {loss}, or leave it out.").format(loss=reader)
            ways = [_("Leave it out.") if other else use]
            if extra == SOFTMAX_FIRST:
                what = setting("fault", extra)
                ways.append(_("The other fault, missing_zero_grad, fits every loss: ask for that one alone."))
            text = _("{extra} belongs to {reader}; the loss is {name}.")
            text = text.format(extra=what, reader=reader, name=name)
            raise TreinoError(f"{extra}_loss", text, " ".join(ways))


def check_numbers(loss: Loss, inputs: Inputs) -> None:
    """Refuse targets of numbers that were prepared for another loss, or that this one is not for."""
    if inputs.task == "regression" and inputs.link not in (None, loss.link):
        raise LOSS_DATA(name=loss.name)
    lowest = loss.kind.lowest
    for _x, y in (inputs.train, inputs.validation) if lowest > -math.inf else ():
        if len(y) and (least := float(y.min())) < lowest:
            (scale,) = inputs.scale if len(inputs.scale) == 1 else (1.0,)
            value = least * (scale if isinstance(scale, float) else 1.0)
            raise LOSS_LOWEST(name=loss.name, range=_("above 0") if lowest else _("from 0 on"), value=value)


def _name(config: TrainConfig, inputs: Inputs) -> tuple[str, str]:
    if config.shared.loss is not None:
        return config.shared.loss, _("The loss is {name}, as asked.").format(name=config.shared.loss)
    if inputs.each:
        reason = _("The loss is the mean of the cross-entropies of {n} targets.")
    elif inputs.task == "classification":
        reason = _("The loss is cross-entropy, for the target is one of {n} classes.")
    elif inputs.classes > 1:
        reason = _("The loss is the mean squared error, for the targets are {n} numbers.")
    else:
        reason = _("The loss is the mean squared error, for the target is a number.")
    return USUAL_LOSS[inputs.task], reason.format(n=len(inputs.each) or inputs.classes)


def _class_weights(config: TrainConfig, inputs: Inputs, bags: Bags | None) -> tuple[float, ...] | None:
    """One weight per class. ``balanced``: rows / (classes × the class's rows), as in scikit-learn; rows count
    by their weights if there is one bag; with several bags each row counts 1."""
    weights = config.shared.class_weights
    if weights is not None and inputs.each:
        raise CLASS_WEIGHTS_TARGETS(n=len(inputs.each))
    if weights == "balanced":
        y = inputs.train[1].reshape(-1).long()
        weight_GN = None if bags is None or bags.own or len(bags) > 1 else bags.weight_GN
        weight_N = None if weight_GN is None else weight_GN[0].double()
        if inputs.axes:  # those of a row's positions that count
            if weight_N is not None:
                weight_N = weight_N.repeat_interleave(math.prod(inputs.axes))[y != IGNORED]
            y = y[y != IGNORED]
        count_C = torch.bincount(y, weight_N, minlength=inputs.classes).double()
        count_C = torch.where(count_C > 0, count_C, 1)
        return tuple(((len(y) if weight_N is None else weight_N.sum()) / (inputs.classes * count_C)).tolist())
    if weights is not None and len(weights) != inputs.classes:
        raise CLASS_WEIGHTS_COUNT(n=len(weights), c=inputs.classes, names=", ".join(inputs.class_names))
    return weights
