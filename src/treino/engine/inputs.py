"""What was given to ``train``: rows, loss, network and device, checked and in one form."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from treino.data.dataset import Data
from treino.data.out_of_core.mapped_rows import as_mapped
from treino.data.torch_datasets.dataset_source import is_foreign, load_foreign, steps_of
from treino.engine import value_checks as check
from treino.engine.array_inputs import Pair, check_class_count, pairs_of
from treino.engine.losses import LOSSES, Loss
from treino.engine.net_state import check_state
from treino.engine.nets import MLP
from treino.engine.rng import fork
from treino.engine.user_module import construct_module, module_copy
from treino.errors import TreinoError
from treino.words import _

EPOCHS = {"table": 200, "image": 10}

Net = MLP | nn.Module | Callable[[], nn.Module]


@dataclass(frozen=True, eq=False)
class Given:
    """What ``train`` needs of a data set."""

    train: Pair
    validation: Pair
    task: str
    classes: int  # or the number of target values
    item_shape: tuple[int, ...]
    scale: float
    seed: int | None
    epochs: int
    steps: int | None = None  # the batches of an epoch, where the rows come in batches of their own
    batch: int | None = None  # rows in the largest of them


def given_of(data: Any, dtype: torch.dtype) -> Given:
    if is_foreign(data):
        data = load_foreign(data)
    if isinstance(data, Data):
        pairs = [(as_mapped(rows.x), rows.y) for rows in (data.train, data.validation)]
        classes = len(data.classes) if data.task == "classification" else data.train.y.shape[1]
        if not len(data.train):
            raise TreinoError(
                "no_training_rows", _("There are no training rows."), _("Lower the other shares.")
            )
        if data.task == "classification":
            check_class_count(classes, len(data.train))
        return Given(
            pairs[0],
            pairs[1],
            data.task,
            classes,
            data.item_shape,
            data.target_scale,
            data.data_seed,
            EPOCHS[data.kind],
            steps_of(data),
            getattr(data.train.x, "batch", None),
        )
    (x, y), validation = pairs_of(data, dtype)
    shape = tuple(x.shape[1:])
    if y.is_floating_point():
        return Given((x, y), validation, "regression", y.shape[1], shape, 1.0, None, EPOCHS["table"])
    classes = max(int(t.max()) + 1 for t in (y, validation[1]) if len(t))
    check_class_count(classes, len(x))
    return Given((x, y), validation, "classification", max(2, classes), shape, 1.0, None, EPOCHS["table"])


def criterion_of(
    name: str | None,
    smoothing: float,
    weights: str | Sequence[float] | None,
    given: Given,
    softmax_first: bool,
) -> tuple[Loss, str]:
    if name is None:
        name, reason = (
            (
                "cross_entropy",
                _("The loss is cross-entropy, for the target is one of {n} classes.").format(n=given.classes),
            )
            if given.task == "classification"
            else ("mse", _("The loss is the mean squared error, for the target is a number."))
        )
    else:
        reason = _("The loss is {name}, as asked.").format(name=check.known("loss", name, LOSSES))
    if LOSSES[name].task != given.task:
        fitting = [n for n, kind in LOSSES.items() if kind.task == given.task]
        raise TreinoError(
            "loss_task",
            _("The loss {name} is for {its}, and this is {task}.").format(
                name=name, its=_(LOSSES[name].task), task=_(given.task)
            ),
            _("Use {names}.").format(names=_(" or ").join(fitting)),
        )
    if name == "bce" and given.classes != 2:
        raise TreinoError(
            "bce_classes",
            _("The loss bce is for two classes, and there are {n}.").format(n=given.classes),
            _("Use cross_entropy."),
        )
    check.check_range("label_smoothing", smoothing, 0.0, 1.0)
    extras = {
        "label_smoothing": smoothing != 0,
        "class_weights": weights is not None,
        "softmax_before_cross_entropy": softmax_first,
    }
    for extra, used in extras.items():
        if used and name != "cross_entropy":
            ways = (
                [_("Leave it out.")]
                if given.task == "regression"
                else [_("Use cross_entropy, or leave it out.")]
            )
            if extra == "softmax_before_cross_entropy":
                ways.append(_("The other fault, missing_zero_grad, fits every loss: ask for that one alone."))
            raise TreinoError(
                f"{extra}_loss",
                _("{extra} belongs to cross_entropy; the loss is {name}.").format(extra=extra, name=name),
                " ".join(ways),
            )
    if weights is not None:
        weights = _weights(weights, given)
    return Loss(name, float(smoothing), weights, softmax_first), reason


def _weights(weights: Any, given: Given) -> tuple[float, ...]:
    """One per class; ``balanced``: rows / (classes × the class's rows), as scikit-learn has it."""
    if isinstance(weights, str) and weights == "balanced":
        y = given.train[1]
        count_C = torch.bincount(y.reshape(-1).long(), minlength=given.classes).clamp(min=1).double()
        return tuple((len(y) / (given.classes * count_C)).tolist())
    try:
        found = tuple(float(w) for w in weights)
    except (TypeError, ValueError) as error:
        raise TreinoError(
            "class_weights_type",
            _("class_weights are {weights!r}, not numbers.").format(weights=weights),
            _("Give one number above 0 for each class, or 'balanced'."),
        ) from error
    if len(found) != given.classes:
        raise TreinoError(
            "class_weights_range",
            _("class_weights are {weights}; there are {n} classes.").format(weights=found, n=given.classes),
            _("Give one number above 0 for each class, or 'balanced'."),
        )
    if not all(0 < w < math.inf for w in found):
        raise TreinoError(
            "class_weights_range",
            _("class_weights must be above 0; they are {weights}.").format(weights=found),
            _("Give one number above 0 for each class, or 'balanced'."),
        )
    return found


def item_of(net: Net, given: Given) -> tuple[int, ...]:
    return (math.prod(given.train[0].shape[1:]),) if isinstance(net, MLP) else given.item_shape


def template_of(
    net: Net, given: Given, outputs: int, seeds: tuple[int, ...], init: str, dtype: torch.dtype
) -> tuple[nn.Module, Callable[[int], nn.Module] | None]:
    """-> the plain module with the members' shapes, and seed -> a fresh own one where there may be more."""
    if isinstance(net, MLP):
        check.fits((item_of(net, given)[0], *net.hidden, outputs), len(seeds), dtype)
        with fork():
            rate = 0.5 if isinstance(net.dropout, tuple) else None  # stands for each member's own
            return net.module(item_of(net, given)[0], outputs, rate).to(dtype), None
    if init != "default":
        raise TreinoError(
            "init_own",
            _("init {init} is for MLPs; a network of your own initialises itself.").format(init=init),
            _("Leave init out."),
        )
    if isinstance(net, nn.Module):
        if len(seeds) > 1:
            raise TreinoError(
                "seeds_own",
                _("One network can't start from {n} seeds.").format(n=len(seeds)),
                _("Give its class, or a function that makes it, instead of the network."),
            )
        check_state(net)  # what it refuses may have no copy
        return plain(module_copy(net), dtype), None
    if not callable(net):
        raise TreinoError(
            "net_type",
            _("A {kind} is no network.").format(kind=type(net).__name__),
            _("Give mlp(64, 32), an nn.Module, or a function that makes one."),
        )
    first = plain(construct_module(net, seeds[0]), dtype)
    return first, None if len(seeds) == 1 else lambda seed: plain(construct_module(net, seed), dtype)


def plain(module: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The module itself as it is trained: on the CPU, its floating-point tensors in this type.

    Gradients are kept whole here, so embeddings that would give sparse ones give dense ones, with the same
    updates.

    Raises:
        TreinoError: it is compiled by ``torch.jit``, or its state can't be kept.
    """
    if any(isinstance(m, torch.jit.ScriptModule) for m in module.modules()):
        raise TreinoError(
            "net_script",
            _("A network compiled by torch.jit can't be trained here."),
            _("Give the nn.Module that it was made from."),
        )
    check_state(module)
    for layer in module.modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            layer.sparse = False
    return module.to(device="cpu", dtype=dtype)


def device_of(device: str | torch.device) -> torch.device:
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError):
        place = None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if (
        place is None
        or not there.get(place.type, False)
        or (place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count())
    ):
        raise TreinoError(
            "device_missing", _("There is no device {name} here.").format(name=device), _("Use device='cpu'.")
        )
    return place
