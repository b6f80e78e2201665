"""The loss of a training, with its settings: the one set by the user, or the default for the target."""

import torch

from treino.engine.inputs import Inputs
from treino.engine.losses import LOSSES, Loss
from treino.engine.train_config import TrainConfig
from treino.errors import TreinoError
from treino.words import _, setting


def loss_of(config: TrainConfig, inputs: Inputs) -> tuple[Loss, str]:
    """The loss, and a sentence on why it was chosen.

    Raises:
        TreinoError: the loss is for another kind of target or number of classes, or lacks a setting.
    """
    name, reason = _name(config, inputs)
    if LOSSES[name].task != inputs.task:
        fitting = [n for n, kind in LOSSES.items() if kind.task == inputs.task]
        raise TreinoError(
            "loss_task",
            _("The loss {name} is for {its}, and this is {task}.").format(
                name=name, its=_(LOSSES[name].task), task=_(inputs.task)
            ),
            _("Use {names}.").format(names=_(" or ").join(fitting)),
        )
    if inputs.task == "classification" and LOSSES[name].outputs == 1 and inputs.classes != 2:
        raise TreinoError(
            f"{name}_classes",
            _("The loss {name} is for two classes, and there are {n}.").format(name=name, n=inputs.classes),
            _("Use cross_entropy."),
        )
    softmax_first = "softmax_before_cross_entropy" in config.faults
    extras = {
        "label_smoothing": config.shared.label_smoothing != 0,
        "class_weights": config.shared.class_weights is not None,
        "softmax_before_cross_entropy": softmax_first,
    }
    for extra, used in extras.items():
        if used and extra not in LOSSES[name].reads:
            raise _belongs_to_cross_entropy(extra, name, inputs)
    return Loss(name, config.shared.label_smoothing, _class_weights(config, inputs), softmax_first), reason


def _name(config: TrainConfig, inputs: Inputs) -> tuple[str, str]:
    if config.shared.loss is not None:
        return config.shared.loss, _("The loss is {name}, as asked.").format(name=config.shared.loss)
    if inputs.task == "classification":
        return "cross_entropy", _("The loss is cross-entropy, for the target is one of {n} classes.").format(
            n=inputs.classes
        )
    return "mse", _("The loss is the mean squared error, for the target is a number.")


def _belongs_to_cross_entropy(extra: str, name: str, inputs: Inputs) -> TreinoError:
    ways = [_("Leave it out.") if inputs.task == "regression" else _("Use cross_entropy, or leave it out.")]
    what = setting(extra)
    if extra == "softmax_before_cross_entropy":
        what = setting("fault", extra)
        ways.append(_("The other fault, missing_zero_grad, fits every loss: ask for that one alone."))
    return TreinoError(
        f"{extra}_loss",
        _("{extra} belongs to cross_entropy; the loss is {name}.").format(extra=what, name=name),
        " ".join(ways),
    )


def _class_weights(config: TrainConfig, inputs: Inputs) -> tuple[float, ...] | None:
    """One per class; ``balanced``: rows / (classes × the class's rows), as scikit-learn has it."""
    weights = config.shared.class_weights
    if weights == "balanced":
        y = inputs.train[1]
        count_C = torch.bincount(y.reshape(-1).long(), minlength=inputs.classes).clamp(min=1).double()
        return tuple((len(y) / (inputs.classes * count_C)).tolist())
    if weights is not None and len(weights) != inputs.classes:
        raise TreinoError(
            "class_weights_count",
            _("[[class_weights]] has {n} numbers, and there are {c} classes: {names}.").format(
                n=len(weights),
                c=inputs.classes,
                names=", ".join(inputs.class_names),
            ),
            _("Give one number above 0 for each class in this order, or 'balanced'."),
        )
    return weights
