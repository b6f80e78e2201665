"""The fixed parts of a training (rows, network, loss, kernel, plan), made from data and settings.

Errors in the arguments are raised here, before the first step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from treino.base.errors import Refusal, TreinoError
from treino.base.own_calls import check_repeatable
from treino.base.words import _, joined, setting
from treino.engine.augmentation import Augmentation
from treino.engine.bags import Bags, OwnRows, checked_bags
from treino.engine.batch_sources import KernelRows, aligned
from treino.engine.devices import torch_context
from treino.engine.early_stopping import EarlyStopping
from treino.engine.ensemble import Ensemble, Validation
from treino.engine.inputs import Inputs, inputs_of
from treino.engine.kernels import KERNELS, Kernel
from treino.engine.kernels.lanes import lanes_obstacle
from treino.engine.kernels.selection import select_kernel
from treino.engine.losses import Loss
from treino.engine.members import begin_average, new_population, store_parameters
from treino.engine.metrics import METRIC_UNITS, METRICS, metric_names
from treino.engine.model import Limits, Model
from treino.engine.net_state import put_state, store_buffers
from treino.engine.nets import MLP, Net, input_shape
from treino.engine.optim import OPTIMIZERS
from treino.engine.own_losses import PROBE_ROWS, check_own, is_batchable
from treino.engine.own_metrics import OWN_METRIC_NAN
from treino.engine.own_optimizers import OwnOptimizer
from treino.engine.own_schedules import check_schedule
from treino.engine.population import Population
from treino.engine.rng import fork_rng
from treino.engine.step_plan import MIN_TICK_STEPS, EpochCount, StepPlan
from treino.engine.templates import NetSource, Template, outputs_of, template_of
from treino.engine.train_config import TrainConfig
from treino.engine.training_loss import check_numbers, loss_of
from treino.engine.training_state import TrainingState
from treino.engine.user_module import HashDropout, LayerRow, module_copy, probe_one_row
from treino.settings.spec import WARMUP_RANGE

NO_VALIDATION_ROWS = Refusal(
    "{what} needs validation rows, and there are none.",
    "Give some, e.g. by [[validation=0.15]], or do without.",
)
METRIC_TASK = Refusal("{metric} is not measured here.", "Use one of {names}.")
BATCH_NORM_WEIGHTS = Refusal(
    "Batch norm counts each row of a batch once, and these rows have weights.",
    "Leave [[batch_norm]] out (of a network of your own: use LayerNorm), or the weights.",
)
WEIGHTS_ROWS = Refusal(
    "These rows are read without numbers, so none of them has a weight of its own.",
    "Give a Dataset, of which treino makes the batches, or leave the weights out.",
)
WEIGHTS_LATE = Refusal(
    "The training has taken {n} steps already.",
    "Make a new one, and give it the weights before its first step.",
)
PRECISION_ENGINE = Refusal(
    "[[precision=bf16]] is torch's autocast, by the engine module, and [[engine]] is {name}.",
    "Leave one of them out.",
)
BATCH_NORM_ROWS = Refusal(
    "Batch norm needs two rows in every batch, and the last of {rows} rows would be alone.", "{hint}"
)
WEIGHTS_DIFFER = Refusal(
    "The weights are another network's: {why}",
    "Use the same layers, e.g. by [[like]] of the same name, or begin anew: leave [[weights]] out.",
)


@dataclass(frozen=True, eq=False)
class TrainingSetup:
    """The fixed parts of a training.

    config: the settings with all defaults filled in. engine: the kernel's name. train: the training rows.
    validation: measures members on the validation rows; None without any. layers: (name, kind, in, out,
    parameters) of every layer. bags: the rows' weights; None: each row counts 1. limits_G: the limits of each
    bag's predictions, if bags have different rows.
    """

    config: TrainConfig
    model: Model
    plan: StepPlan
    early_stopping: EarlyStopping
    engine: str
    kernel: Kernel
    train: KernelRows
    validation: Validation | None
    outputs: int
    layers: list[LayerRow]
    loss_reason: str
    kernel_reason: str
    metric_reason: str = ""
    bags: Bags | None = None
    limits_G: Sequence[Limits | None] = ()

    def limits(self, bag: int) -> Limits | None:
        """The range to which predictions are clipped in an ensemble that trains on this bag's rows."""
        return self.limits_G[bag] if self.limits_G else self.model.limits


def set_up(
    data: Any,
    net: NetSource,
    config: TrainConfig,
    bags: Bags | None = None,
    *,
    count: EpochCount | None = None,
    optimizer_from: int = 0,
) -> tuple[TrainingSetup, TrainingState]:
    """Make the fixed parts of a training, and its state before the first step.

    data: as for ``train``, or its ``Inputs``. config: see ``with_defaults``. count, optimizer_from: the
    epochs, and the step of the last reset of the optimizer's state, for a training that continues another
    training's state, which the caller loads afterwards.

    Raises:
        TreinoError: data, network and settings don't fit together.
    """
    inputs = inputs_of(data, config.dtype)
    s = config.shared
    own_G = (
        [replace(inputs, train=pair) for pair in bags.train_G or ()] if bags is not None and bags.own else []
    )
    bags = _bags(bags, inputs, len(config.seeds))
    loss, loss_reason = loss_of(config, inputs, bags)
    batch_size = s.batch_size if isinstance(s.batch_size, int) else None
    loss = replace(loss, axes=inputs.axes, batch_size=batch_size)
    check_numbers(loss, inputs)
    outputs, targets = outputs_of(loss, inputs), loss.target(inputs.train[1][:PROBE_ROWS], config.dtype).cpu()
    coupled = check_own(loss, outputs, targets, weighted=bags is not None)
    template = template_of(net, inputs, loss, config)
    config, numbers = _with_own_defaults(config, template.module)
    hp = config.hyperparameters(net.dropout if isinstance(net, Net) else 0.0)
    hp |= {name: torch.full_like(hp["lr"], value) for name, value in numbers.items()}
    model = _model(net, template, loss, inputs, config, bags, averages=bool((hp["ema"] > 0).any()))
    plan = _step_plan(inputs, config, count, optimizer_from)
    if plan.last_batch < len(targets):
        check_own(loss, outputs, targets[: plan.last_batch])
    if len(rows := sorted({len(own.train[1]) for own in own_G})) > 1:
        plan = replace(plan, orders=tuple((plan.data_seed, n) for n in rows))
    _check_metric(config, inputs, metric_names(loss, outputs), bags)
    _check_batch_norm(template.module, bags)
    _check_batch_of_one(net, template, plan)
    batchable = partial(is_batchable, loss, outputs, targets)
    engine, kernel, kernel_reason = _kernel(net, model, plan, config, batchable)
    with torch.no_grad():
        population = new_population(model, config.seeds, hp)
        population.schedule_P = torch.tensor([plan.schedules.index(s) for s in config.schedules])
        population.bag_P = torch.tensor(bags.bag_P if bags and bags.bag_P else [0] * len(population))
        if plan.orders:
            rows_P = [len(own_G[bag].train[1]) for bag in population.bag_P.tolist()]
            population.order_P = torch.tensor([plan.orders.index((plan.data_seed, n)) for n in rows_P])
        shape, b = input_shape(net, inputs.item_shape), bags or Bags(None)
        train = _kernel_rows(*inputs.train, shape, model, b.weight_GN, b.train_G)
        held_back = _kernel_rows(*inputs.validation, shape, model, b.validation_GM, b.validation_G)
    stopping = EarlyStopping(s.metric, s.patience or 0, s.keep or "best")
    scale_G = bags.scale_G if bags and bags.scale_G else [inputs.scale]
    validation = Validation(kernel, model, held_back, outputs, scale_G, plan.batch_size)
    if plan.evaluates and (loss.metric or loss.kind.own is not None):
        _try_evaluation(validation, population)
    setup = TrainingSetup(
        config=config,
        model=model,
        plan=plan,
        early_stopping=stopping,
        engine=engine,
        kernel=kernel,
        train=train,
        validation=validation if plan.evaluates else None,
        outputs=outputs,
        layers=template.layers,
        loss_reason=joined(filter(None, [loss_reason, coupled]), " "),
        kernel_reason=kernel_reason,
        metric_reason=getattr(METRICS[s.metric].of, "reason", ""),
        bags=bags,
        limits_G=[_limits(own, None) for own in own_G] if model.limits else (),
    )
    best = stopping.initial_best(population, plan.evaluates)
    return setup, TrainingState.initial(population, best)


def _with_own_defaults(config: TrainConfig, module: nn.Module) -> tuple[TrainConfig, dict[str, float]]:
    """The config of an optimizer of the user's own, with its own values for what nobody typed; and the
    numbers that it alone has."""
    own: OwnOptimizer | None = OPTIMIZERS[config.shared.optimizer].own
    if own is None:
        return config, {}
    defaults, numbers = own.defaults(module)
    members = (
        s.filled({name: value for name, value in defaults.items() if s.source(name) != "typed"})
        for s in config.members
    )
    return replace(config, members=tuple(members)), numbers


def _model(
    net: NetSource,
    template: Template,
    loss: Loss,
    inputs: Inputs,
    config: TrainConfig,
    bags: Bags | None,
    *,
    averages: bool,
) -> Model:
    s = config.shared
    return Model(
        template=template.module.to(config.device),
        net=net if isinstance(net, Net) else None,
        loss=loss,
        optimizer=s.optimizer,
        nesterov=s.nesterov,
        init=s.init or "default",
        construct=template.construct,
        item_shape=None if isinstance(net, MLP) else input_shape(net, inputs.item_shape),
        summed="missing_zero_grad" in config.faults,
        averages=averages,
        limits=_limits(inputs, bags) if s.clip_target and s.ensemble > 1 and not loss.link.joint else None,
        bf16=s.precision == "bf16",
        dtype=config.dtype,
        device=config.device,
    )


def _limits(inputs: Inputs, bags: Bags | None) -> Limits | None:
    """The smallest and largest target of the training rows, or those of each target; None for classes."""
    if inputs.task != "regression":
        return None
    y = torch.as_tensor(inputs.train[1])
    if bags is not None and bags.weight_GN is not None and not bags.own:
        y = y[(bags.weight_GN > 0).any(0)]
    low_K, high_K = (tuple(ends.tolist()) for ends in y.aminmax(dim=0))
    return (low_K[0], high_K[0]) if len(low_K) == 1 else (low_K, high_K)


def _step_plan(
    inputs: Inputs, config: TrainConfig, count: EpochCount | None, optimizer_from: int
) -> StepPlan:
    rows, s = len(inputs.train[0]), config.shared
    batch_size = s.batch_size if isinstance(s.batch_size, int) else None
    if inputs.steps is None and batch_size is not None:
        batch_size = min(batch_size, rows)
    per_epoch = inputs.steps or (1 if batch_size is None else -(-rows // batch_size))
    count = count or EpochCount(per_epoch)
    steps = s.steps or count.end_of(s.epochs or 0)
    if (longest := max(warmup for _name, warmup in config.schedules)) > steps:
        raise WARMUP_RANGE(n=longest, steps=steps)
    for name, warmup in set(config.schedules):
        check_schedule(name, steps - warmup)
    return StepPlan(
        rows=rows,
        batch_size=batch_size,
        steps=steps,
        schedules=tuple(dict.fromkeys(config.schedules)),
        shuffle=s.shuffle,
        data_seed=s.data_seed or 0,
        every=max(MIN_TICK_STEPS, per_epoch) if config.every is None else config.every,
        evaluates=len(inputs.validation[0]) > 0,
        count=count,
        batches=inputs.steps,
        optimizer_from=optimizer_from,
        by_steps=s.steps is not None,
        augmentation=Augmentation.of(s.augment, s.flip, inputs.item_shape),
        item_shape=inputs.item_shape,
        ends=tuple(min(count.end_of(epochs), steps) for epochs in s.member_epochs or ()),
    )


def _check_metric(config: TrainConfig, inputs: Inputs, measured: tuple[str, ...], bags: Bags | None) -> None:
    """Refuse a metric that isn't measured for this task, or that these validation rows don't allow."""
    s = config.shared
    if s.metric not in measured:
        several = METRICS[s.metric].in_unit and "r2" in measured
        raise (METRIC_UNITS if several else METRIC_TASK)(metric=s.metric, names=", ".join(measured))
    y = inputs.validation[1]
    if s.patience and not len(y):
        raise NO_VALIDATION_ROWS(what=setting("patience", s.patience))
    held_out = [y]
    if bags is not None and bags.validation_GM is not None:
        targets = [own_y for _x, own_y in bags.validation_G or ()] or [y] * len(bags)
        held_out = [y_M[w_M > 0] for y_M, w_M in zip(targets, bags.validation_GM, strict=True)]
    if METRICS[s.metric].two_classes and len(y) and any(len(y_M.unique()) < 2 for y_M in held_out):
        raise TreinoError(
            f"{s.metric}_one_class",
            _("{metric} needs validation rows of both classes.").format(metric=s.metric),
            _("Use another metric, e.g. loss."),
        )


def _try_evaluation(validation: Validation, population: Population) -> None:
    """Try the user's own metric and loss on validation rows, before anything is written.

    Raises:
        TreinoError: one of them fails, or the metric is NaN for any output.
    """
    if not isinstance(validation.rows.x, Tensor):  # a stream, whose items are read once
        return
    metric = validation.model.loss.metric
    answers = validation.answers(population, torch.tensor([0]))
    drawn = torch.Generator().manual_seed(0)
    if metric:
        own = METRICS[metric].of
        check_repeatable(metric, own, lambda: validation.figures(answers, 1, {})[metric][0])
    for _time in range(2):
        figures = validation.figures(answers, 1, {})
        if not metric or not bool(figures[metric][0].isnan()):
            return
        shape = answers[0].output_NC.shape
        answers = {0: answers[0]._replace(output_NC=torch.randn(shape, generator=drawn))}
    raise OWN_METRIC_NAN(name=metric, rows=len(answers[0].y))


def _check_batch_norm(module: nn.Module, bags: Bags | None) -> None:
    """Refuse batch norm if rows have different weights: its means count each row of a batch once."""
    weight_GN = None if bags is None else bags.weight_GN
    if weight_GN is None or bool((weight_GN == weight_GN[:, :1]).all()):
        return
    if any(isinstance(layer, _BatchNorm) for layer in module.modules()):
        raise BATCH_NORM_WEIGHTS()


def _check_batch_of_one(net: NetSource, template: Template, plan: StepPlan) -> None:
    """If an epoch's last batch is a single row, refuse a network that fails on it, as batch norm does."""
    if plan.last_batch > 1 or plan.batches is not None:
        return
    hint, size = _("Give at least two rows."), plan.batch_size or 1
    if plan.rows > 1:  # of one batch size above this one no row is left over
        other = next(n for n in range(size + 1, plan.rows + size + 1) if plan.rows % n != 1)
        hint = _("Use another batch size, e.g. {size}.").format(size=setting("batch_size", other))
    if not isinstance(net, MLP):
        probe_one_row(template.module, template.two[:1], plan.rows, hint)
    elif net.batch_norm:
        raise BATCH_NORM_ROWS(rows=plan.rows, hint=hint)


def _kernel(
    net: NetSource, model: Model, plan: StepPlan, config: TrainConfig, batchable: Callable[[], bool]
) -> tuple[str, Kernel, str]:
    """The kernel's name, the kernel, and a sentence on what keeps treino's own network from a faster one.
    batchable: whether the kernel ``batched`` can derive the loss."""
    if model.bf16:
        if config.shared.engine not in (None, "module"):
            raise PRECISION_ENGINE(name=config.shared.engine)
        config = config.with_settings(engine="module")
    called = OPTIMIZERS[model.optimizer].own is not None
    batched = isinstance(net, MLP) and not net.batch_norm and not called and batchable()
    looked_for = config.shared.engine in (None, "lanes")  # else the library isn't needed
    obstacle = lanes_obstacle(model) if looked_for else None
    choice = select_kernel(
        config.shared.engine,
        config.shared.threads,
        obstacle=obstacle,
        batched=batched,
        parameters=model.layout.count,
        batch=min(plan.batch_size or plan.rows, plan.rows),
        convolves=any(len(shape) > 2 for shape in model.layout.shapes),
    )
    reason = obstacle if choice.engine == "module" and model.net is not None else None
    return choice.engine, KERNELS[choice.engine](model, choice.threads), reason or ""


def _bags(bags: Bags | None, inputs: Inputs, members: int) -> Bags | None:
    """The given bags, or one bag with the data's own weights; None if every row counts 1."""
    if (bags is None and inputs.weights == (None, None)) or (bags is not None and bags.own):
        return bags
    if bags is None:
        bags = Bags(torch.ones(1, len(inputs.train[0])))
    if inputs.steps is not None:
        raise WEIGHTS_ROWS()
    return checked_bags(bags, inputs.weights, (inputs.train, inputs.validation), members)


def _kernel_rows(
    x: Any,
    y: Tensor,
    shape: tuple[int, ...],
    model: Model,
    weight_GN: Tensor | None,
    own: OwnRows | None,
) -> KernelRows:
    def in_kernel_form(x: Any, y: Tensor) -> tuple[Any, Tensor]:
        if isinstance(x, Tensor):
            x = aligned(x.reshape(-1, *shape), model.dtype, model.device)
        return x, aligned(model.loss.target(y, model.dtype), None, model.device)

    if weight_GN is not None and weight_GN.numel():  # a power of two: shares are equal, sums in range
        scale_G1 = torch.frexp(weight_GN.amax(1, keepdim=True)).exponent
        weight_GN = aligned(torch.ldexp(weight_GN, -scale_G1), model.dtype, model.device)
    return KernelRows(*in_kernel_form(x, y), weight_GN, tuple(in_kernel_form(*pair) for pair in own or ()))


# ---- warm start


def warm_start(
    model: Model, state: TrainingState, weights: Mapping[str, Tensor], *, of_each: bool = False
) -> None:
    """Load these weights into every member by their ``state_dict`` names; the optimizer's state starts fresh.

    weights: may include non-persistent buffers; missing ones keep their initial values. of_each: the weights
    are of an ``Ensemble`` of all members; each member gets its own.

    Raises:
        TreinoError: the tensors don't fit the network; the training has already begun.
    """
    if state.step:
        raise WEIGHTS_LATE(n=state.step)
    modules = [module_copy(model.template) for _row in range(len(state.population) if of_each else 1)]
    try:
        put_state(Ensemble(modules, model.loss, model.limits) if of_each else modules[0], weights)
    except ValueError as error:
        raise WEIGHTS_DIFFER(why=error) from None
    population = state.population
    with torch.no_grad():
        for row in range(len(population)):
            module = modules[row if of_each else 0]
            store_parameters(module, model.layout, population.params[row])
            store_buffers(module, model.buffer_layout, population.buffers[row])
        begin_average(population)


# ---- plain attributes changed in training

COMPARED_ROWS = 64  # for the comparison of outputs
_PLAIN = (bool, int, float, str, tuple, list, dict, set, Tensor, type(None))


def unkept(setup: TrainingSetup, state: TrainingState, x: Tensor) -> list[str] | None:
    """Names of plain attributes that training changed in the user's network, if its outputs in training or
    evaluation mode depend on them; None if tensors hold all of its state. x: rows in the network's input
    shape.
    """
    population, kernel, model, plan = state.population, setup.kernel, setup.model, setup.plan
    if 0 not in population.bound:  # no training in this process
        return None
    x, first, anew = x.to(model.device, model.dtype), torch.tensor([0]), population.rows([0])
    with torch_context(kernel.intra_op_threads):
        pairs = [[kernel.outputs(p, first, x[:COMPARED_ROWS]) for p in (population, anew)]]
        pairs += [
            [_trained_on(p.bound[0].module, x[:size]) for p in (population, anew)]
            for size in {plan.batch_size or plan.rows, plan.last_batch}
        ]
    if all(torch.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True) for one, other in pairs):
        return None
    return changed_attributes(population.bound[0].module, model.template)


def _trained_on(module: nn.Module, x: Tensor) -> Tensor:
    """Outputs of a copy of the module in training mode, with the same random numbers at each call."""
    twin = module_copy(module).train()
    for layer in twin.modules():
        if isinstance(layer, HashDropout):
            layer.begin((1, 0))
    with fork_rng(0, x.device):
        answer: Tensor = twin(x.clone())
        return answer


def changed_attributes(now: nn.Module, before: nn.Module) -> list[str]:
    """Names of the modules' plain attributes that differ."""
    usual = vars(nn.Module()).keys()
    first = dict(before.named_modules())
    return [
        f"{name}.{key}".lstrip(".")
        for name, module in now.named_modules()
        if name in first and type(module) is type(first[name])
        for key, value in vars(module).items()
        if key not in usual and not _alike(value, vars(first[name]).get(key))
    ]


def _alike(one: Any, other: Any) -> bool:
    """Whether two tensors or plain values are equal; True for values of other types."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    if not (isinstance(one, _PLAIN) or isinstance(other, _PLAIN)):
        return True
    try:
        return bool(one == other)
    except Exception:  # ambiguous truth value, e.g. a list of tensors
        return True
