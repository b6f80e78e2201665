"""Resolution of a training's settings: defaults that depend on the data, and checks of all names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from treino.base.errors import Refusal
from treino.base.words import N_, _, setting
from treino.data import BUILTINS
from treino.data.dataset import Data
from treino.data.source_kinds import is_album, is_torch_dataset
from treino.engine import OPTIMIZERS, Net, TrainConfig, TrainingLoop, config_of
from treino.engine.defaults import check_augmentation, describes_mlp, network, with_defaults, with_net
from treino.engine.inputs import inputs_of
from treino.engine.kernels.selection import ENGINE_NET
from treino.engine.nets import input_shape, layers_of
from treino.engine.optim import BETAS
from treino.engine.step_plan import Past
from treino.engine.templates import NetSource
from treino.engine.training_setup import check_loss, no_validation_rows, set_up
from treino.inspection.conformal import check_coverage, conformal
from treino.settings import recipes
from treino.settings.spec import Settings, faults_of, read_settings, refuse_layers

WARMUP_RANGE = Refusal(
    N_("[[warmup]] is {n:,} steps, and there are only {steps:,}."),
    N_("Warm up for fewer steps, or train longer."),
)
ENSEMBLE_OF_MANY = Refusal(
    N_("Several networks are trained here, each by itself; [[ensemble]] makes one run of several."),
    N_(
        "Find the settings without it, then train with them: treino train DATA "
        "[[ensemble={n}]]. A sweep's best networks answer together by: treino predict SWEEP [[top=8]]"
    ),
)
BATCH_SIZE_LOADER = Refusal(
    N_("batch_size is {n}, and the DataLoader makes batches of {own}."),
    N_("Leave it out, or make the DataLoader with batch_size={n}."),
)
SHUFFLE_LOADER = Refusal(
    N_("shuffle is {how}, and the order is the DataLoader's own."),
    N_("Leave it out, or make the DataLoader with shuffle=False."),
)
THRESHOLD_CLASSES = Refusal(N_("{name} is for two classes, and {there}."), N_("Leave it out."))

# ---- resolution of a training's settings

TICK_STEPS = 500  # most ticks end by time; recording one costs as much as a few steps


@dataclass(frozen=True, eq=False)
class Resolution:
    """What settings and data resolve to: a training, and the value of every setting.

    settings: JSON-able, as stored in ``spec.json`` under ``resolved``. reasons: one sentence for each choice
    that depends on the data.
    """

    training: TrainingLoop
    settings: dict[str, Any]
    reasons: tuple[str, ...]


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
    if settings.steps is not None:
        check_warmup(settings, settings.steps)
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
            raise no_validation_rows(setting("keep", s.keep))
        if "metric" in s.model_fields_set:
            raise no_validation_rows(setting("metric", s.metric))
    if inputs.steps is not None:
        _check_loader(s, inputs.batch)
    chosen = network(s, data.kind) if net is None else net
    input_shape(chosen, data.item_shape)  # raises if a convolutional network would get a table
    return chosen, with_defaults(config, chosen, inputs)


def net_reasons(asked: Settings, chosen: Settings) -> list[str]:
    """Sentences on what ``with_net`` chose."""
    reasons = []
    if asked.net is None and chosen.net == "cnn":
        text = _("The network is convolutional, as by default for pictures ({flag}: layers of units).")
        reasons.append(text.format(flag=setting("net", "mlp")))
    elif asked.net is None and chosen.net == "mlp":
        text = _("The network is an mlp: {why} ({flag}: convolutions).")
        why = _("{hidden} is given").format(hidden=setting("hidden")) if asked.hidden is not None else ""
        why = why or (_("a fault is to be seen") if faults_of(asked) else _("its columns get gates"))
        reasons.append(text.format(why=why, flag=setting("net", "cnn")))
    if asked.label_smoothing != chosen.label_smoothing:
        text = _("Labels are smoothed by {share:g}, as by default for pictures ({flag}: not).")
        reasons.append(text.format(share=chosen.label_smoothing, flag=setting("label_smoothing", 0)))
    return reasons


def resolve(
    settings: Settings,
    data: Data,
    net: NetSource | None = None,
    past: Past | None = None,
    reasons: Sequence[str] = (),
) -> Resolution:
    """Choose the settings left open and make the training. Writes nothing.

    past: the steps of the training whose state this one continues. reasons: for choices made before.

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
    training = TrainingLoop(*set_up(data, chosen, config, past))
    check_warmup(s, training.steps)
    every = (data.task_reason, training.loss_reason, training.kernel_reason, *reasons)
    resolved = resolved_settings(s, data, chosen, training)
    return Resolution(training, resolved, tuple(r for r in every if r))


def check_warmup(s: Settings, steps: int) -> None:
    """Refuse a warm-up that is longer than the training."""
    if s.warmup > steps:
        raise WARMUP_RANGE(n=s.warmup, steps=steps)


def resolved_settings(s: Settings, data: Data, net: NetSource, training: TrainingLoop) -> dict[str, Any]:
    """Every setting of a training with its value (JSON-able). net: the network it was made with."""
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
        "fault": faults_of(s),
        "device": str(training.config.device),
        "engine": training.engine,
        "threads": training.threads,
    }
    if isinstance(net, Net):
        dropout = net.dropout if isinstance(net.dropout, float) else s.dropout
        values |= layers_of(net) | {"dropout": dropout, "init": decided.init}
    return decided.model_copy(update=values).model_dump(mode="json", exclude={"name", "out"})


def refuse_ensemble(settings: Settings) -> None:
    """Refuse an ensemble where several networks are trained separately.

    Raises:
        TreinoError: with an alternative.
    """
    if settings.ensemble > 1:
        raise ENSEMBLE_OF_MANY(n=settings.ensemble)


def _check_loader(s: Settings, own: int | None) -> None:
    """Refuse settings that say otherwise than a DataLoader how batches of ``own`` rows are made."""
    if s.batch_size not in (None, own):
        raise BATCH_SIZE_LOADER(n=s.batch_size, own=own)
    if s.shuffle != "each":
        raise SHUFFLE_LOADER(how=s.shuffle)


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
        raise no_validation_rows(setting("threshold", s.threshold))


# ---- the choice of a recipe if none is set


def choose_recipe(
    source: Any, settings: Settings, load: Callable[..., Data], alone: str = ""
) -> tuple[Settings, Data, str]:
    """Choose the requested recipe, or the one that suits the source. Return the settings with the recipe's
    additions, the data prepared with them, and a sentence with the recipe and the reason.

    load: reads and prepares the rows, by settings and the most inputs with bins. alone: the description of an
    argument that requires a single network, such as its weights.

    Raises:
        TreinoError: bad input.
    """
    if settings.recipe is not None:
        return settings, load(settings), ""
    why = _why_plain(source, settings, alone)
    if why:
        return settings, load(settings), plain_reason(why)
    table = _by_recipe(settings)
    data = load(table, most_inputs=recipes.MOST_INPUTS)
    if data.kind != "table":
        return settings, load(settings), plain_reason(_("this is no table"))
    if table.inputs == "bins" and data.arguments.inputs == "plain":
        table = _by_recipe(settings, inputs="plain")
    reason = _(
        "recipe table, as by default for a table of your own: {n} networks ({flag}: one simple network)"
    )
    return table, data, reason.format(n=table.ensemble, flag=setting("recipe", "plain"))


def _why_plain(source: Any, settings: Settings, alone: str) -> str:
    """The reason to train one simple network; empty if the recipe for tables may apply."""
    if alone:
        return alone
    if settings.net not in (None, "mlp"):
        return _("the network is your own") if settings.net_file else _("the network is convolutional")
    if faults_of(settings):
        return _("a fault is to be seen")
    if isinstance(source, Data):
        return _("the rows were prepared before")
    if is_torch_dataset(source) or is_album(source):
        return _("this is no table")
    return _("built-in data") if isinstance(source, str) and source in BUILTINS else ""


def plain_reason(why: str) -> str:
    """A sentence: one simple network is trained, with the reason."""
    return _("recipe plain: one simple network ({why})").format(why=why)


def _by_recipe(settings: Settings, **more: str) -> Settings:
    explicit = settings.explicit
    return read_settings(explicit | more | {"recipe": "table"})
