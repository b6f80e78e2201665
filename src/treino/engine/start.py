"""``train``: from data and words to a Training; everything wrong is refused before the first step."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.engine import arguments as check
from treino.engine.init import INITS
from treino.engine.kernels import KERNELS
from treino.engine.kernels.choice import choose
from treino.engine.losses import LOSSES, Loss
from treino.engine.metrics import BETTER, names
from treino.engine.nets import MLP, mlp
from treino.engine.optim import OPTIMIZERS
from treino.engine.own import construct, probe
from treino.engine.plan import TICK_LEAST, Plan
from treino.engine.recipe import Recipe, make
from treino.engine.rng import fork
from treino.engine.schedules import SCHEDULES
from treino.engine.training import Rows, Training
from treino.errors import TreinoError
from treino.words import _

HIDDEN = (64, 32)
EPOCHS = {"table": 200, "image": 10}

Pair = tuple[Tensor, Tensor]
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


def train(
    data: Data | tuple[Any, Any],
    net: Net | None = None,
    *,
    optimizer: str = "adam",
    lr: float | Sequence[float] = 3e-3,
    momentum: float | Sequence[float] = 0.0,
    nesterov: bool = False,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: float | Sequence[float] = 1e-8,
    weight_decay: float | Sequence[float] = 0.0,
    schedule: str = "constant",
    warmup: int = 0,
    clip: float | Sequence[float] | None = None,
    loss: str | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | None = None,
    init: str = "default",
    batch_size: int | None = 32,
    epochs: int | None = None,
    steps: int | None = None,
    patience: int = 0,
    metric: str = "loss",
    keep: str = "best",
    shuffle: str = "each",
    seeds: Sequence[int] = (0,),
    data_seed: int | None = None,
    device: str | torch.device = "cpu",
    engine: str | None = None,
    threads: int | None = None,
    fault: str | Sequence[str] = (),
    every: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> Training:
    """A training of one network, or of one per seed side by side; nothing runs until it is iterated.

    data: what ``treino.load`` returns; or a pair of tensors (x ``[N, ...]``, y ``[N]`` class numbers or
    ``[N, K]`` values), or two such pairs, for training and validation.
    net: ``mlp(...)`` (default ``mlp(64, 32)``), an ``nn.Module``, or a class or function that makes one.
    lr, momentum, betas, eps, weight_decay, clip (largest norm of a gradient) and the MLP's dropout are a
    number, or one for each seed.
    schedule: of SCHEDULES, after ``warmup`` steps. loss: of LOSSES; default cross_entropy for classes, mse
    for numbers. class_weights: one per class. batch_size: rows per step, None for all.
    epochs or steps: how long; default 200 epochs, 10 for images. patience: epochs without a better
    validation ``metric`` before a member stops, 0 for never. keep: ``best`` or ``last`` weights.
    fault: ``missing_zero_grad``, ``softmax_before_cross_entropy`` or both, to see what they do.
    every: steps per tick; default an epoch, at least 10. engine, threads: see ``treino.engines()``.

    Raises:
        TreinoError: an argument out of range, unknown, or contradicting another or the data.
    """
    given = _given(data)
    seeds = tuple(check.whole("seeds", s, 0) for s in ((seeds,) if isinstance(seeds, int) else seeds))
    if not seeds:
        raise TreinoError("seeds_empty", _("There is no seed."), _("Give at least one: seeds=(0,)."))
    P = len(seeds)
    faults = check.faults(fault)
    criterion, reason = _loss(
        loss, label_smoothing, class_weights, given, "softmax_before_cross_entropy" in faults
    )
    outputs = LOSSES[criterion.name].outputs or given.classes
    check.known("optimizer", optimizer, OPTIMIZERS)
    if (
        nesterov
        and optimizer == "sgd"
        and not all(m > 0 for m in check.per_member("momentum", momentum, P).tolist())
    ):
        raise TreinoError(
            "nesterov_momentum", _("Nesterov's momentum needs a momentum above 0."), _("Use momentum=0.9.")
        )
    net = mlp(*HIDDEN) if net is None else net
    place = _device(device)
    template, maker = _template(net, given, outputs, seeds, init, dtype)
    layers = probe(
        template,
        given.train[0][:1]
        .expand(2, *given.train[0].shape[1:])
        .reshape(2, *_item(net, given))
        .to(dtype)
        .cpu(),
        outputs,
        not isinstance(net, MLP),
    )
    recipe = Recipe(
        template.to(place),
        net if isinstance(net, MLP) else None,
        criterion,
        optimizer,
        nesterov,
        check.known("init", init, INITS),
        maker,
        None if isinstance(net, MLP) else given.item_shape,
        "missing_zero_grad" in faults,
        dtype,
        place,
    )
    hp = {
        name: check.per_member(name, value, P)
        for name, value in {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "beta1": betas[0], "beta2": betas[1],
            "eps": eps, "clip": math.inf if clip is None else clip,
            "dropout": net.dropout if isinstance(net, MLP) else 0.0,
        }.items()
    }  # fmt: skip
    plan = _plan(
        given, batch_size, epochs, steps, schedule, warmup, patience, metric, keep, shuffle,
        given.seed if data_seed is None and given.seed is not None else seeds[0] if data_seed is None else data_seed,
        every, criterion, outputs,
    )  # fmt: skip
    flat = isinstance(net, MLP) and not net.batch_norm
    count = recipe.layout.count
    choice = choose(P, count, min(plan.batch_size or plan.rows, plan.rows), flat, engine, threads)
    with torch.no_grad():
        population = make(recipe, seeds, hp)
        item = _item(net, given)
        rows = [
            Rows(
                _aligned(x.reshape(-1, *item), dtype, place),
                _aligned(criterion.target(y, dtype), None, place),
            )
            for x, y in (given.train, given.validation)
        ]
    return Training(
        recipe,
        KERNELS[choice.engine](recipe, choice.threads),
        choice.engine,
        population,
        plan,
        rows[0],
        rows[1] if len(rows[1].x) else None,
        scale=given.scale,
        layers=layers,
        loss_reason=reason,
        outputs=outputs,
    )


def _given(data: Any) -> Given:
    if isinstance(data, Data):
        pairs = [(rows.x, rows.y) for rows in (data.train, data.validation)]
        classes = len(data.classes) if data.task == "classification" else data.train.y.shape[1]
        if not len(data.train):
            raise TreinoError(
                "no_training_rows", _("There are no training rows."), _("Lower the other shares.")
            )
        return Given(
            pairs[0],
            pairs[1],
            data.task,
            classes,
            data.item_shape,
            data.target_scale,
            data.data_seed,
            EPOCHS[data.kind],
        )
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TreinoError(
            "data_type",
            _("train can't use a {kind} as data.").format(kind=type(data).__name__),
            _("Give what treino.load returns, or a pair of tensors (x, y)."),
        )
    two = isinstance(data[0], tuple | list)
    x, y = _pair(data[0] if two else data)
    validation = _pair(data[1]) if two else (x[:0], y[:0])
    if not len(x):
        raise TreinoError("no_training_rows", _("There are no training rows."), _("Give at least one row."))
    if validation[0].shape[1:] != x.shape[1:]:
        raise TreinoError(
            "data_shape",
            _("Validation rows have the shape {got}, training rows {wanted}.").format(
                got=list(validation[0].shape[1:]), wanted=list(x.shape[1:])
            ),
            _("Give both the same columns."),
        )
    if y.is_floating_point():
        y, other = (t.unsqueeze(-1) if t.dim() == 1 else t for t in (y, validation[1]))
        return Given(
            (x, y), (validation[0], other), "regression", y.shape[1], tuple(x.shape[1:]), 1.0, None, 200
        )
    classes = max(int(t.max()) + 1 for t in (y, validation[1]) if len(t))
    return Given((x, y), validation, "classification", max(2, classes), tuple(x.shape[1:]), 1.0, None, 200)


def _pair(pair: Any) -> Pair:
    x, y = (torch.as_tensor(t) for t in pair)
    if (
        x.dim() < 2
        or len(x) != len(y)
        or (not y.is_floating_point() and (y.dim() != 1 or bool((y < 0).any())))
    ):
        raise TreinoError(
            "data_shape",
            _("x has the shape {x} and y {y}.").format(x=list(x.shape), y=list(y.shape)),
            _("x is [rows, columns], y one class number from 0 on, or one value, for each row."),
        )
    return x if x.is_floating_point() else x.float(), y


def _loss(
    name: str | None, smoothing: float, weights: Sequence[float] | None, given: Given, softmax_first: bool
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
                name=name, its=LOSSES[name].task, task=given.task
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
            raise TreinoError(
                f"{extra}_loss",
                _("{extra} belongs to cross_entropy; the loss is {name}.").format(extra=extra, name=name),
                _("Use cross_entropy, or leave it out."),
            )
    if weights is not None:
        weights = tuple(float(w) for w in weights)
        if len(weights) != given.classes or not all(0 < w < math.inf for w in weights):
            raise TreinoError(
                "class_weights_range",
                _("class_weights are {weights}; there are {n} classes.").format(
                    weights=weights, n=given.classes
                ),
                _("Give one number above 0 for each class."),
            )
    return Loss(name, float(smoothing), weights, softmax_first), reason


def _item(net: Net, given: Given) -> tuple[int, ...]:
    return (math.prod(given.train[0].shape[1:]),) if isinstance(net, MLP) else given.item_shape


def _template(
    net: Net, given: Given, outputs: int, seeds: tuple[int, ...], init: str, dtype: torch.dtype
) -> tuple[nn.Module, Callable[[int], nn.Module] | None]:
    """-> the plain module with the members' shapes, and seed -> a fresh own one where there can be several."""
    if isinstance(net, MLP):
        with fork():
            return net.module(
                _item(net, given)[0], outputs, 0.5 if isinstance(net.dropout, tuple) else None
            ).to(dtype), None
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
        import copy

        return _plain(copy.deepcopy(net), dtype), None
    if not callable(net):
        raise TreinoError(
            "net_type",
            _("A {kind} is no network.").format(kind=type(net).__name__),
            _("Give mlp(64, 32), an nn.Module, or a function that makes one."),
        )
    return _plain(construct(net, seeds[0]), dtype), lambda seed: _plain(construct(net, seed), dtype)


def _plain(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    wrong = [n for n, t in (*module.named_parameters(), *module.named_buffers()) if t.is_complex()]
    if wrong:
        raise TreinoError(
            "net_complex", _("{name} holds complex numbers.").format(name=wrong[0]), _("Use real ones.")
        )
    return module.to(device="cpu", dtype=dtype)


def _device(device: str | torch.device) -> torch.device:
    place = torch.device(device)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(place.type, False) or (
        place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count()
    ):
        raise TreinoError(
            "device_missing", _("There is no device {name} here.").format(name=device), _("Use device='cpu'.")
        )
    return place


def _plan(
    given: Given, batch_size: int | None, epochs: int | None, steps: int | None, schedule: str, warmup: int,
    patience: int, metric: str, keep: str, shuffle: Any, data_seed: int, every: int | None, loss: Loss, outputs: int,
) -> Plan:  # fmt: skip
    rows, validation = len(given.train[0]), len(given.validation[0])
    if batch_size is not None:
        batch_size = min(check.whole("batch_size", batch_size, 1), rows)
    per_epoch = 1 if batch_size is None else -(-rows // batch_size)
    if epochs is not None and steps is not None:
        raise TreinoError(
            "epochs_and_steps", _("Both epochs and steps say how long."), _("Give one of them.")
        )
    epochs = given.epochs if epochs is None else check.whole("epochs", epochs, 1)
    planned = epochs * per_epoch if steps is None else check.whole("steps", steps, 1)
    check.known("metric", metric, BETTER)
    if metric not in names(loss, outputs):
        raise TreinoError(
            "metric_task",
            _("{metric} is not measured here.").format(metric=metric),
            _("Use one of {names}.").format(names=", ".join(names(loss, outputs))),
        )
    check.known("keep", keep, ("best", "last"))
    if patience and not validation:
        raise TreinoError(
            "no_validation_rows",
            _("patience needs validation rows, and there are none."),
            _("Leave it out, or give some."),
        )
    if metric == "auc" and validation and len(given.validation[1].unique()) < 2:
        raise TreinoError(
            "auc_one_class",
            _("auc needs validation rows of both classes."),
            _("Use another metric, e.g. loss."),
        )
    return Plan(
        rows,
        batch_size,
        planned,
        check.known("schedule", schedule, SCHEDULES),
        min(check.whole("warmup", warmup, 0), planned),
        check.whole("patience", patience, 0),
        metric,
        keep,
        check.known("shuffle", shuffle, ("each", "once", "off")),  # type: ignore[arg-type]
        data_seed,
        max(TICK_LEAST, per_epoch) if every is None else check.whole("every", every, 1),
        validation > 0,
    )


def _aligned(t: Tensor, dtype: torch.dtype | None, device: torch.device) -> Tensor:
    """Contiguous and starting on a 64-byte line, as torch's own memory does: results depend on it."""
    t = t.to(device=device, dtype=dtype or t.dtype).contiguous()
    return t if t.data_ptr() % 64 == 0 else t.clone()
