"""Resolution of a training's settings: defaults that depend on the data, and checks of all names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from treino.base.errors import Refusal
from treino.base.words import _, setting
from treino.data.dataset import Data
from treino.engine import LOSSES, OPTIMIZERS, Net, TrainConfig, TrainingLoop, config_of
from treino.engine.defaults import check_augmentation, describes_mlp, network, with_defaults, with_net
from treino.engine.inputs import inputs_of
from treino.engine.kernels.selection import ENGINE_NET
from treino.engine.nets import input_shape, layers_of
from treino.engine.optim import BETAS
from treino.engine.templates import NetSource
from treino.engine.training_loss import check_loss
from treino.engine.training_setup import NO_VALIDATION_ROWS, set_up
from treino.folders.documents.run_spec import ResolvedSettings
from treino.folders.timeline import Stretch
from treino.inspection.conformal import check_coverage, conformal
from treino.settings.spec import OF_PLACE, Settings, faults_of, read_settings, refuse_layers

BATCH_SIZE_LOADER = Refusal(
    "batch_size is {n}, and the DataLoader makes batches of {own}.",
    "Leave it out, or make the DataLoader with batch_size={n}.",
)
SHUFFLE_LOADER = Refusal(
    "shuffle is {how}, and the order is the DataLoader's own.",
    "Leave it out, or make the DataLoader with shuffle=False.",
)
THRESHOLD_CLASSES = Refusal("{name} is for two classes, and {there}.", "Leave it out.")
AXES_NET = Refusal(
    "Each row's target has the axes {shape}, and a network of treino's own answers once for each row.",
    "Give a network of yours that answers at each position: net=MyNet(), or [[net=FILE.py:NAME]].",
)
AXES_SETTING = Refusal(
    "{what} is for one answer per row, and each row's target has the axes {shape}.", "Leave it out."
)

# ---- resolution of a training's settings

TICK_STEPS = 500  # most ticks end by time; recording one costs as much as a few steps


@dataclass(frozen=True, eq=False)
class Resolution:
    """What settings and data resolve to: a training, and the value of every setting.

    settings: as stored in ``spec.json`` under ``resolved``. reasons: one sentence for each choice that
    depends on the data.
    """

    training: TrainingLoop
    settings: ResolvedSettings
    reasons: tuple[str, ...]


OF_JUDGING = (
    *(*OF_PLACE, "refit", "epochs", "member_epochs", "steps", "time_limit", "patience", "keep", "metric"),
    *("threshold", "coverage", "fold", "split_column"),
)
"""Settings that a refit doesn't take over: they are of a run's place, its length, or its held-back rows."""


def refit_settings(typed: Mapping[str, Any], decided: Settings, rows: Data, **own: Any) -> Settings:
    """The settings of a run's refit. typed, decided: the run's, as they were given, and all of them. rows:
    those of the refit. own: its length, in epochs or steps, and its place."""
    kept = {name: value for name, value in typed.items() if name not in OF_JUDGING}
    if decided.split_column is not None:
        kept["features"] = rows.features
    no_shares = {"validation": 0.0, "test": 0.0}
    return read_settings(kept | no_shares | {"batch_size": decided.batch_size} | own)


Own = TypeVar("Own", bound=NetSource)


def train_config(settings: Settings) -> TrainConfig:
    """The engine's settings, as far as they don't depend on the data.

    Raises:
        TreinoError: settings that contradict each other or the machine, or an unknown name.
    """
    return config_of([settings], TICK_STEPS)


def check_settings(settings: Settings) -> None:
    """Refuse settings that contradict each other or the machine, as far as that doesn't depend on the data.

    Raises:
        TreinoError: names them.
    """
    train_config(settings)
    check_loss(settings, settings.loss, settings.task)
    own, cnn = settings.net_file is not None, settings.net == "cnn"
    if not own and (not cnn or settings.channels is not None):
        network(settings, "table")
    check_augmentation(settings, pictures=cnn or (settings.net is None and not describes_mlp(settings)))
    if settings.engine == "batched" and (own or cnn or settings.batch_norm):
        raise ENGINE_NET(name=settings.engine)


def decide(settings: Settings, data: Data, net: Own | None = None) -> tuple[Own | Net, TrainConfig]:
    """Choose the network and the engine's settings, with defaults for those left open.

    Raises:
        TreinoError: settings that contradict each other, the data or the machine.
    """
    s = settings if net is not None else with_net(settings, data)
    config = train_config(s)
    if net is not None:
        refuse_layers(s)
    inputs = inputs_of(data, config.dtype)
    if not len(data.validation):  # the engine checks patience
        if s.keep == "best":
            raise NO_VALIDATION_ROWS(what=setting("keep", s.keep))
        if "metric" in s.model_fields_set:
            raise NO_VALIDATION_ROWS(what=setting("metric", s.metric))
    if inputs.steps is not None:  # a DataLoader makes the batches
        if s.batch_size not in (None, inputs.batch):
            raise BATCH_SIZE_LOADER(n=s.batch_size, own=inputs.batch)
        if s.shuffle != "each":
            raise SHUFFLE_LOADER(how=s.shuffle)
    chosen = network(s, data.kind) if net is None else net
    if data.preparation.target_shape:
        _check_axes(s, data, chosen)
    input_shape(chosen, data.item_shape)  # raises if a convolutional network would get a table
    return chosen, with_defaults(config, chosen, inputs)


def resolve(
    settings: Settings,
    data: Data,
    net: NetSource | None = None,
    stretch: Stretch | None = None,
) -> Resolution:
    """Choose the settings left open and make the training. Writes nothing.

    stretch: the part of a run that this training is, if it continues another training's state.

    Raises:
        TreinoError: settings that contradict each other, the data or the machine.
    """
    s = settings
    chosen, config = decide(s, data, net)
    if s.threshold is not None:
        _check_threshold(s, data)
    if s.coverage is not None:
        weight = data.validation.weight
        weight_N = None if weight is None else weight.double().numpy()
        check_coverage(conformal(np.zeros(len(data.validation)), weight_N), s.coverage)
    if stretch is None:
        training = TrainingLoop(*set_up(data, chosen, config))
    else:
        segment = stretch.segment
        if segment.order_seed is not None:
            config = config.with_settings(data_seed=segment.order_seed)
        continued = set_up(data, chosen, config, count=stretch.epochs, optimizer_from=segment.optimizer_from)
        training = TrainingLoop(*continued)
    every = (data.task_reason, *training.reasons, *s.reasons)
    resolved = resolved_settings(s, data, chosen, training)
    return Resolution(training, resolved, tuple(r for r in every if r))


def resolved_settings(s: Settings, data: Data, net: NetSource, training: TrainingLoop) -> ResolvedSettings:
    """Every setting of a training with its value. net: the network it was made with."""
    weights = training.loss_function.class_weights
    decided, betas_read = training.config.shared, "betas" in OPTIMIZERS[s.optimizer].reads
    prepared = ("normalise", "inputs", "bins", "clip_inputs", "target_means", "trees", "validation", "test")
    values: dict[str, Any] = {name: getattr(data.arguments, name) for name in prepared}
    values |= {split: data.files[split][0] for split in ("validation", "test") if split in data.files}
    values |= {
        "recipe": s.recipe or "plain",
        "log_target": data.preparation.target_log,
        "seed": s.seed,
        "task": data.task,
        "target": data.target,
        "features": data.features if data.kind == "table" else None,
        "loss": training.loss,
        "betas": (decided.betas or BETAS) if betas_read else None,
        "batch_size": decided.batch_size or "full",
        "class_weights": weights,
        "quantiles": training.loss_function.levels or None,
        "fault": faults_of(s),
        "device": str(training.config.device),
        "engine": training.engine,
        "threads": training.threads,
    }
    if isinstance(net, Net):
        dropout = net.dropout if isinstance(net.dropout, float) else s.dropout
        values |= layers_of(net) | {"dropout": dropout, "init": decided.init}
    whole = decided.model_copy(update=values).model_dump(mode="json", exclude={*OF_PLACE})
    return ResolvedSettings.model_validate(whole)


def _check_axes(s: Settings, data: Data, net: Own | Net) -> None:
    """Refuse what is not possible for targets with axes."""
    shape = list(data.preparation.target_shape)
    if isinstance(net, Net):
        raise AXES_NET(shape=shape)
    usual = {"ensemble": 1, "threshold": None, "coverage": None}
    names = [name for name, value in usual.items() if getattr(s, name) != value]
    if s.loss is not None and (LOSSES[s.loss].outputs or LOSSES[s.loss].joint):
        names.append("loss")
    for name in names:
        raise AXES_SETTING(what=setting(name, getattr(s, name)), shape=shape)


def _check_threshold(s: Settings, data: Data) -> None:
    """Refuse a threshold without two classes or without validation rows."""
    if len(data.classes) != 2:
        there = _("{target} has {n} classes").format(target=data.target, n=len(data.classes))
        if len(data.by_target) > 1:
            there = _("{target} are {n} targets").format(target=data.target, n=len(data.by_target))
        raise THRESHOLD_CLASSES(
            name=setting("threshold", s.threshold),
            there=there
            if data.classes or len(data.by_target) > 1
            else _("{target} is a number").format(target=data.target),
        )
    if not len(data.validation):
        raise NO_VALIDATION_ROWS(what=setting("threshold", s.threshold))
