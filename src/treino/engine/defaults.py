"""The settings that are left open, decided once, before a training is made: by the network and the rows."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.words import _, setting
from treino.data.dataset import Data
from treino.data.mapped_rows import MappedRows
from treino.engine.augmentation import Augmentation, usual_shift
from treino.engine.gates import NO_BINS, NO_TREES
from treino.engine.inputs import Inputs
from treino.engine.nets import CNN, Net, described, is_picture, picture_shape
from treino.engine.rng import generator
from treino.engine.templates import NetSource
from treino.engine.train_config import TrainConfig
from treino.settings import recipes
from treino.settings.spec import Settings, faults_of

AUGMENT_NET = Refusal(
    "{a} changes pictures, and only convolutional networks get pictures.", "Leave it out, or use [[net=cnn]]."
)
AUGMENT_ROWS = Refusal(
    "{a} changes each row by its number, and these rows are read without numbers.",
    "Leave it out: let the Dataset change its pictures itself.",
)


@dataclass(frozen=True)
class Defaults:
    """Defaults for one kind of data or network. steps: the minimum; to reach it, few rows are passed over
    more than ``epochs`` times."""

    hidden: tuple[int, ...]
    lr: float
    batch_size: int
    epochs: int
    schedule: str = "constant"
    steps: int = 0


PATIENCE = 20  # epochs without improvement, if no length is set
MOST_EPOCHS = 200  # maximum, reached if there are few rows
DEFAULTS = {
    "table": Defaults(hidden=(64, 32), lr=3e-3, batch_size=32, epochs=MOST_EPOCHS),
    "image": Defaults(hidden=(128, 128), lr=1e-3, batch_size=100, epochs=10),
    "cnn": Defaults(hidden=(), lr=2e-3, batch_size=64, epochs=5, schedule="one-cycle", steps=2000),
}


# ---- the network


def with_net(s: Settings, rows: Data | Inputs, usual: str = "cnn") -> Settings:
    """The settings, with open settings of a network for pictures decided. usual: the kind of network if none
    is requested, neither by name nor by its layers."""
    if s.net is None and rows.kind == "image" and is_picture(rows.item_shape):
        net = "mlp" if describes_mlp(s) else usual
        s = s.decided("data", _reason_of_net(s, net), net=net)
    if s.net != "cnn" or s.channels is not None:
        return s
    classes = rows.task == "classification" and s.loss in (None, "cross_entropy")
    layers = recipes.picture_settings(
        picture_shape(rows.item_shape), batch_norm=s.batch_norm, pooled=s.pool is not None, classes=classes
    )
    given = {name for name in s.model_fields_set if getattr(s, name) is not None}
    values = {name: value for name, value in layers.items() if name not in given}
    reason = ""
    if values.get("label_smoothing"):
        text = _("Labels are smoothed by {share:g}, as by default for pictures ({flag}: not).")
        reason = text.format(share=values["label_smoothing"], flag=setting("label_smoothing", 0))
    return s.decided("data", reason, **values)


def _reason_of_net(asked: Settings, net: str) -> str:
    if net == "cnn":
        text = _("The network is convolutional, as by default for pictures ({flag}: layers of units).")
        return text.format(flag=setting("net", "mlp"))
    if not describes_mlp(asked):
        return ""
    text = _("The network is an mlp: {why} ({flag}: convolutions).")
    why = _("{hidden} is given").format(hidden=setting("hidden")) if asked.hidden is not None else ""
    why = why or (_("a fault is to be seen") if faults_of(asked) else _("its columns get gates"))
    return text.format(why=why, flag=setting("net", "cnn"))


def describes_mlp(s: Settings) -> bool:
    """Whether settings without ``net`` ask for layers of units, even for pictures."""
    return s.hidden is not None or s.gates > 0 or len(faults_of(s)) > 0


def plain_of(s: Settings) -> list[int]:
    """How plain the inputs of each network of an ensemble are: the networks without bins are evenly spaced,
    and every other network sees no answers of trees. A single network sees all."""
    bins = [member * s.plain_members % s.ensemble >= s.plain_members for member in range(s.ensemble)]
    trees = [s.ensemble == 1 or member % 2 == 1 or not s.gates for member in range(s.ensemble)]
    return [NO_BINS if not b else 0 if t else NO_TREES for b, t in zip(bins, trees, strict=True)]


def dropout_of(s: Settings) -> float | list[float]:
    """The dropout rate of a network, or of each network of an ensemble: evenly spaced between 0 and
    ``dropout``, in an order drawn by the seed."""
    rate, members = s.dropout or 0.0, s.ensemble
    if not s.dropout_spread or members == 1:
        return rate
    order = torch.randperm(members, generator=generator(s.seed, "dropout")).tolist()
    return [rate * (place + 0.5) / members for place in order]


def network(s: Settings, kind: str) -> Net:
    """The network that settings describe, after ``with_net``. kind: that of the data, a key of
    ``DEFAULTS``."""
    return described(s, DEFAULTS[kind].hidden, dropout_of(s), plain_of(s))


def usual_net(inputs: Inputs) -> Net:
    """The network for these rows if nothing is said of it."""
    return network(with_net(Settings(), inputs), inputs.kind)


# ---- how it is trained


def with_defaults(config: TrainConfig, net: NetSource, inputs: Inputs) -> TrainConfig:
    """The config with every setting that was left open, decided by the network and the rows; the same for
    all members."""
    s = config.shared
    usual = DEFAULTS["cnn" if isinstance(net, CNN) else inputs.kind]
    rows, streams, evaluates = len(inputs.train[0]), inputs.steps is not None, len(inputs.validation[0]) > 0
    one_cycle = usual.schedule == "one-cycle" and s.schedule in (None, "one-cycle")
    by_table = s.recipe == "table" and not streams
    size = inputs.batch if streams else s.batch_size
    if size is None:
        size = recipes.batch_rows(rows) if by_table else usual.batch_size
    batches = 1 if size == "full" else -(-rows // size)
    epochs = max(usual.epochs, min(MOST_EPOCHS, -(-usual.steps // batches)))
    patience = 0 if one_cycle else PATIENCE
    if by_table:
        epochs, patience = recipes.length(batches)
    epochs = max(s.member_epochs or [epochs])
    # Networks that learn few pictures by heart have their lowest validation loss long before the end of
    # the cycle, but err less at its end.
    last = one_cycle and not (s.patience or "metric" in s.model_fields_set)
    values: dict[str, Any] = {
        "lr": usual.lr,
        "schedule": usual.schedule,
        "batch_size": size,
        "epochs": epochs if s.steps is None else None,
        "patience": patience if evaluates and s.epochs is None and s.steps is None else 0,
        "keep": "last" if last or not evaluates else "best",
        "init": "default",
        "data_seed": s.seed if inputs.seed is None else inputs.seed,
    }
    left_open = {name: value for name, value in values.items() if getattr(s, name) is None}
    batch = {"batch_size": size} if streams else {}
    return config.with_settings(**left_open | batch | _augmentation(s, inputs, net))


def _augmentation(s: Settings, inputs: Inputs, net: NetSource) -> dict[str, Any]:
    """The requested augmentation. Default: ``shift`` for a convolutional network that learns classes of
    numbered rows, unless a shift by one pixel is too much for its pictures."""
    numbered, pictures = isinstance(inputs.train[0], Tensor | MappedRows), isinstance(net, CNN)
    text, flip = s.augment, bool(s.flip)
    if text is None:
        fits = pictures and numbered and inputs.task == "classification"
        text = "shift" if fits and usual_shift(picture_shape(inputs.item_shape)) else "none"
    if not Augmentation.of(text, flip, (1, 1)):
        return {"augment": "none", "flip": False}
    check_augmentation(s, pictures=pictures)
    if not numbered:
        raise AUGMENT_ROWS(a=_augmentation_typed(s))
    shape = picture_shape(inputs.item_shape)
    return {"augment": Augmentation.of(text, flip, shape).text(shape), "flip": flip}


def check_augmentation(s: Settings, *, pictures: bool) -> None:
    """Refuse changes of pictures for a network that gets none."""
    if not pictures and Augmentation.of(s.augment, s.flip, (1, 1)):
        raise AUGMENT_NET(a=_augmentation_typed(s))


def _augmentation_typed(s: Settings) -> str:
    return setting("flip") if s.flip and s.augment in (None, "none") else setting("augment", s.augment)
