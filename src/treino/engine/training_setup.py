"""``train``: from data and words to a Training; everything wrong is refused before the first step."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from treino.engine import value_checks as check
from treino.engine.batch_sources import KernelRows, aligned
from treino.engine.init import INITS
from treino.engine.inputs import Given, Net, criterion_of, device_of, given_of, item_of, template_of
from treino.engine.kernels import KERNELS
from treino.engine.kernels.selection import select_kernel
from treino.engine.losses import LOSSES
from treino.engine.metrics import BETTER, metric_names
from treino.engine.nets import MLP, mlp
from treino.engine.optim import OPTIMIZERS
from treino.engine.shared_config import SharedConfig, new_population
from treino.engine.step_plan import MIN_TICK_STEPS, StepPlan
from treino.engine.training_loop import Training
from treino.engine.user_module import probe_module, probe_one_row, probe_rows, with_lazy_layers
from treino.errors import TreinoError
from treino.words import _

HIDDEN = (64, 32)
SHUFFLES = ("each", "once", "off", "blocks")


def train(
    data: Any,
    net: Net | None = None,
    *,
    optimizer: str = "adam",
    lr: float | Sequence[float] = 3e-3,
    momentum: float | Sequence[float] = 0.0,
    nesterov: bool = False,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: float | Sequence[float] = 1e-8,
    weight_decay: float | Sequence[float] = 0.0,
    schedule: str | Sequence[str] = "constant",
    warmup: int | Sequence[int] = 0,
    clip: float | Sequence[float] | None = None,
    loss: str | None = None,
    label_smoothing: float = 0.0,
    class_weights: str | Sequence[float] | None = None,
    init: str = "default",
    batch_size: int | None = 32,
    epochs: int | None = None,
    steps: int | None = None,
    patience: int = 0,
    metric: str = "loss",
    keep: str = "best",
    shuffle: str = "each",
    seeds: int | Sequence[int] = (0,),
    data_seed: int | None = None,
    device: str | torch.device = "cpu",
    engine: str | None = None,
    threads: int | None = None,
    fault: str | Sequence[str] | None = (),
    every: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> Training:
    """A training of one network, or of one per seed side by side; nothing runs until it is iterated.

    data: what ``treino.load`` returns; or a pair of tensors, arrays or nested lists (x ``[N, ...]``, y
    ``[N]`` class numbers or ``[N, K]`` values), or two such pairs, for training and validation; or a
    Dataset or DataLoader of your own, whose batches are then the steps.
    net: ``mlp(...)`` (default ``mlp(64, 32)``), an ``nn.Module``, or a class or function that makes one.
    lr, momentum, betas, eps, weight_decay, clip (largest norm of a gradient) and the MLP's dropout are a
    number, or one for each seed; so are schedule and warmup.
    schedule: of SCHEDULES, after ``warmup`` steps. loss: of LOSSES; default cross_entropy for classes, mse
    for numbers. class_weights: one per class,
    or ``balanced``. batch_size: rows per step, None for all.
    epochs or steps: how long; default 200 epochs, 10 for images. patience: epochs without a better
    validation ``metric`` before a member stops, 0 for never. keep: ``best`` or ``last`` weights.
    fault: ``missing_zero_grad``, ``softmax_before_cross_entropy`` or both, to see what they do.
    every: steps per tick; default an epoch, at least 10. engine, threads: see ``treino.engines()``.

    Raises:
        TreinoError: an argument out of range, unknown, or contradicting another or the data.
    """
    dtype = check.dtype_of(dtype)
    given = given_of(data, dtype)
    seeds = check.seeds_of(seeds)
    P = len(seeds)
    faults = check.faults(fault)
    criterion, reason = criterion_of(
        loss, label_smoothing, class_weights, given, "softmax_before_cross_entropy" in faults
    )
    outputs = LOSSES[criterion.name].outputs or given.classes
    check.known("optimizer", optimizer, OPTIMIZERS)
    hp = check.hyperparameters(
        optimizer, P, betas, lr=lr, weight_decay=weight_decay, momentum=momentum, eps=eps,
        clip=math.inf if clip is None else clip, dropout=net.dropout if isinstance(net, MLP) else 0.0,
    )  # fmt: skip
    _check_nesterov(check.truth("nesterov", nesterov), optimizer, hp["momentum"])
    net = mlp(*HIDDEN) if net is None else net
    place = device_of(device)
    template, maker = template_of(net, given, outputs, seeds, init, dtype)
    two, y = probe_rows(*given.train)
    two, y = two.reshape(2, *item_of(net, given)).to(dtype).cpu(), criterion.target(y, dtype).cpu()
    template = with_lazy_layers(template, two, seeds[0])
    layers = probe_module(template, two, y, outputs, criterion, not isinstance(net, MLP))
    shared = SharedConfig(
        template.to(place),
        net if isinstance(net, MLP) else None,
        criterion,
        optimizer,
        nesterov,
        check.known("init", init, INITS),
        None if maker is None else lambda seed: with_lazy_layers(maker(seed), two, seed),
        None if isinstance(net, MLP) else given.item_shape,
        "missing_zero_grad" in faults,
        dtype,
        place,
    )
    if data_seed is None:
        data_seed = seeds[0] if given.seed is None else given.seed
    data_seed = check.whole("data_seed", data_seed, 0)
    plan = _plan(
        given, batch_size, epochs, steps, patience, metric, keep, shuffle, data_seed, every,
        metric_names(criterion, outputs),
    )  # fmt: skip
    schedules = check.schedules_of(schedule, warmup, P, plan.steps)
    plan = replace(plan, schedules=tuple(dict.fromkeys(schedules)))
    last = plan.rows % (plan.batch_size or plan.rows) or plan.batch_size or plan.rows
    if isinstance(net, MLP) and net.batch_norm and last == 1 and given.steps is None:
        raise TreinoError(
            "batch_norm_rows",
            _("Batch norm needs two rows in every batch, and the last of {rows} rows would be alone.").format(
                rows=plan.rows
            ),
            _("Use another batch_size, e.g. {size}.").format(size=(plan.batch_size or 1) + 1),
        )
    if not isinstance(net, MLP) and last == 1 and given.steps is None:
        probe_one_row(template, two[:1], plan.rows, plan.batch_size or 1)
    flat = isinstance(net, MLP) and not net.batch_norm
    count, convolves = shared.layout.count, any(len(shape) > 2 for shape in shared.layout.shapes)
    choice = select_kernel(
        P, count, min(plan.batch_size or plan.rows, plan.rows), flat, engine, threads, convolves=convolves
    )
    with torch.no_grad():
        population = new_population(shared, seeds, hp)
        population.schedule_P = torch.tensor([plan.schedules.index(s) for s in schedules])
        item = item_of(net, given)
        rows = [
            KernelRows(
                aligned(x.reshape(-1, *item), dtype, place) if isinstance(x, Tensor) else x,
                aligned(criterion.target(y, dtype), None, place),
            )
            for x, y in (given.train, given.validation)
        ]
    return Training(
        shared,
        KERNELS[choice.engine](shared, choice.threads),
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


def _check_nesterov(nesterov: bool, optimizer: str, momentum_P: Tensor) -> None:
    if nesterov and "nesterov" not in OPTIMIZERS[optimizer].reads:
        raise TreinoError(
            "momentum_with_adam",
            _("nesterov is a setting of sgd; {optimizer} has none.").format(optimizer=optimizer),
            _("Use optimizer='sgd', or leave it out."),
        )
    if nesterov and not bool((momentum_P > 0).all()):
        raise TreinoError(
            "nesterov_momentum", _("Nesterov's momentum needs a momentum above 0."), _("Use momentum=0.9.")
        )


def _plan(
    given: Given, batch_size: int | None, epochs: int | None, steps: int | None, patience: int, metric: str,
    keep: str, shuffle: Any, data_seed: int, every: int | None,
    measured: Sequence[str],
) -> StepPlan:  # fmt: skip
    rows, validation = len(given.train[0]), len(given.validation[0])
    if given.steps is not None:
        batch_size = given.batch
    elif batch_size is not None:
        batch_size = min(check.whole("batch_size", batch_size, 1), rows)
    per_epoch = given.steps or (1 if batch_size is None else -(-rows // batch_size))
    if epochs is not None and steps is not None:
        raise TreinoError(
            "epochs_and_steps", _("Both epochs and steps say how long."), _("Give one of them.")
        )
    epochs = given.epochs if epochs is None else check.whole("epochs", epochs, 1)
    planned = epochs * per_epoch if steps is None else check.whole("steps", steps, 1)
    check.known("metric", metric, BETTER)
    if metric not in measured:
        raise TreinoError(
            "metric_task",
            _("{metric} is not measured here.").format(metric=metric),
            _("Use one of {names}.").format(names=", ".join(measured)),
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
    return StepPlan(
        rows,
        batch_size,
        planned,
        (),
        check.whole("patience", patience, 0),
        metric,
        keep,
        check.known("shuffle", shuffle, SHUFFLES),  # type: ignore[arg-type]
        data_seed,
        max(MIN_TICK_STEPS, per_epoch) if every is None else check.whole("every", every, 1),
        validation > 0,
        given.steps,
    )
