"""The table of settings: declares once each setting's type, range, default, group and help.

From it come the command line's flags, the keywords of ``treino.train`` and the estimators, the JSON of a
folder (its ``spec.json``) and ``docs/settings.md``. If a setting is None, ``training`` chooses a
default from the data. ``training`` also looks up names such as ``relu`` in the engine's registries: this file
has only types, ranges and contradictions.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.option_marks import PLAIN
from treino.base.own_objects import is_own
from treino.base.words import N_, _, flag, setting
from treino.settings import setting_types
from treino.settings.data_settings import DataSettings, declared
from treino.settings.network_call import ARGUMENT, NetworkCall, is_argument
from treino.settings.network_settings import LAYERS, OF_CNN, NetworkSettings
from treino.settings.recipes import table_settings
from treino.settings.setting_types import (
    Betas,
    Counts,
    Float,
    Floats,
    Int,
    OutPath,
    OwnName,
    Seconds,
    Strings,
    Word,
    explained,
)

UNKNOWN_SETTING = Refusal("There is no setting {name}.", "{hint}")
NET_AND_LAYERS = Refusal(
    "{a} describes a network, and [[net]] names your own.", "Leave {a} out, or write it into your network."
)
NET_ARGUMENT_ALONE = Refusal(
    "{name} is an argument of a network of your own, and the network is treino's.",
    "Add [[net=FILE.py:NAME]]; in a space with several networks say whose it is: "
    "'net.width=16|32 if net=mynet.py:Net'",
)
WARMUP_RANGE = Refusal(
    "[[warmup]] is {n:,} steps, and there are only {steps:,}.", "Warm up for fewer steps, or train longer."
)

GROUPS = {
    "target": N_("Data"),
    "recipe": N_("Network"),
    "loss": N_("Loss and optimizer"),
    "batch_size": N_("Training loop"),
    "device": N_("Machine"),
    "baselines": N_("Run"),
}
"""The groups of settings, each by its first setting in the table."""
OF_SOME = ("momentum", "nesterov", "betas", "eps")  # settings that only some optimizers read
Source = Literal["typed", "recipe", "data", "default"]
Fault = Literal["missing_zero_grad", "softmax_before_cross_entropy"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

OF_NETWORK = (*OF_CNN, "hidden", "activation", "dropout", "dropout_spread", "batch_norm", "gates", "init")
OWN_NETWORK = N_("Your own network is written [[net=FILE.py:NAME]], e.g. [[net=mynet.py:Net]].")
DEVICES = ("auto", "cpu", "cuda", "mps")


class Settings(NetworkSettings, DataSettings):
    """Every setting of a training run. Unknown names, wrong types and values out of range are refused."""

    loss: OwnName | None = declared(
        None,
        "what training makes small: cross_entropy, mse, ..., the class of a loss in torch.nn, or your own: "
        "FILE.py:NAME, a function of (output, target); default: from the task, with the reason",
    )
    label_smoothing: Float = declared(
        0.0,
        "share taken from the right class; default: 0.05 for classes of pictures "
        "where the network is left open too",
        ge=0,
        lt=1,
    )
    class_weights: Annotated[Floats | Literal["balanced"] | None, BeforeValidator(setting_types.weights)] = (
        declared(None, "'balanced', or one weight above 0 for each class, comma-separated")
    )
    quantiles: Floats | None = declared(
        None,
        "the shares of the targets that lie below what the loss quantile learns, e.g. .05,.5,.95; default: "
        ".1,.5,.9; the one nearest the median is the prediction",
    )
    optimizer: OwnName = declared(
        "adam",
        "how weights follow from gradients: adam, adamw, sgd, the class of another in torch.optim, e.g. "
        "RMSprop, or your own: FILE.py:NAME",
    )
    lr: Float | None = declared(
        None,
        "learning rate; default: 3e-3 for tables, 2e-3 for convolutional networks, "
        "1e-3 for images by other ones; 'auto' tries many for a short while first (not in a sweep)",
        gt=0,
        le=setting_types.LARGEST_LR,
    )
    momentum: Float = declared(0.0, "momentum", ge=0, lt=1)
    nesterov: bool = declared(False, "Nesterov's momentum (needs --momentum)")
    betas: Betas | None = declared(None, "the two decay rates of the running means; default: 0.9,0.999")
    eps: Float = declared(1e-8, "added to the root that an update is divided by", gt=0, le=1e6)
    weight_decay: Float = declared(
        0.0,
        "L2 penalty; decay beside the gradient where the optimizer has that; 0.01 in the recipe table",
        ge=0,
        le=setting_types.LARGEST_DECAY,
    )
    schedule: OwnName | None = declared(
        None,
        "how the learning rate changes over the run: constant, cosine, ..., or your own: FILE.py:NAME, a "
        "function of (step, steps) or a class of torch.optim.lr_scheduler; default: constant, one-cycle for "
        "convolutional networks",
    )
    warmup: Int = declared(0, "steps over which the learning rate rises to its value", ge=0)
    clip: Annotated[Float | None, BeforeValidator(setting_types.limit)] = declared(
        None, "largest norm of the gradient; larger ones are scaled down", gt=0
    )
    ema: Float = declared(
        0.0,
        "evaluate and keep a running average of the weights, of which each update "
        "leaves this share, e.g. 0.98; 0: the weights themselves",
        ge=0,
        lt=1,
    )

    batch_size: (
        Annotated[int, BeforeValidator(setting_types.number), Field(ge=1)] | Literal["full"] | None
    ) = declared(
        None,
        "rows per step, or 'full'; default: 32 for tables, 100 for images, 64 for convolutional networks",
    )
    epochs: Int | None = declared(
        None,
        "passes over the training rows; default: at most 200 for tables, 10 for images, 5 for convolutional "
        "networks, for these at least 2,000 updates or 200 passes",
        ge=1,
        le=10_000_000,
    )
    member_epochs: Counts | None = declared(
        None,
        "epochs of each network of an ensemble, e.g. 12,0,8, where they differ; of 0: it doesn't answer",
    )
    steps: Int | None = declared(None, "updates, instead of epochs", ge=1, le=10_000_000_000)
    patience: Int | None = declared(
        None,
        "stop after so many epochs without a better validation figure; 0: never; "
        "default: where neither epochs nor steps is given 20, for one cycle of convolutional networks 0; "
        "else 0",
        ge=0,
    )
    metric: OwnName = declared(
        "loss",
        "the validation figure that decides: loss, accuracy, ..., one of scikit-learn's, e.g. "
        "balanced_accuracy, or your own: FILE.py:NAME, a function of (truth, prediction)",
    )
    keep: Literal["best", "last"] | None = declared(
        None,
        "weights to keep: best on validation rows (default), or last (default for one cycle of convolutional "
        "networks without patience or metric)",
    )
    shuffle: Literal["each", "once", "off", "blocks"] = declared(
        "each",
        "order of the training rows: new each epoch (each), shuffled once, as they "
        "stand (off), or in blocks of neighbours, for rows that a disk reads",
    )
    augment: Annotated[str | None, BeforeValidator(setting_types.joined), PLAIN] = declared(
        None,
        "how training pictures are changed anew in each epoch (with --net cnn): none, "
        "or some of shift, crop, rotate, brightness, contrast, cutout and mixup, each with a strength if you "
        "like, e.g. shift=2,rotate; default: shift where a convolutional network learns classes of pictures "
        "of 15 pixels and more, else none",
    )
    flip: bool | None = declared(
        None,
        "mirror every second training picture, left and right (with --net cnn); "
        "default: no, except for one training on files of pictures, where a short trial decides",
    )
    seed: Int = declared(0, "seed of initialisation and dropout", ge=0, le=2**62)
    data_seed: Int | None = declared(
        None, "seed of the split and the order; default: the seed", ge=0, le=2**62
    )
    as_taught: bool = declared(False, "the beginners' loop with both its faults, to see what they do")
    fault: Strings = declared((), "one fault on purpose: " + " or ".join(FAULTS))

    device: Word = declared("auto", "auto, cpu, cuda or mps")
    engine: Word | None = declared(
        None, "kernel to train with; default: lanes where it can, else batched, else module"
    )
    precision: Literal["float32", "bf16"] = declared(
        "float32",
        "numbers that the layers compute with in training: float32, or bf16 by torch's autocast, with two or "
        "three digits (weights and figures stay float32; by the engine module)",
    )
    threads: Int | None = declared(
        None,
        "threads to train with; only those of the engine module change bits; default: chosen",
        ge=1,
        le=1024,
    )

    baselines: Literal["usual", "full"] = declared(
        "usual",
        "figures to compare with: the best constant, a linear model, of pictures also one on whitened "
        "patches and, on tables of your own, boosted trees; full: trees on all data, however long they take",
    )
    refit: bool = declared(
        False,
        "when the network is judged, train once more on all rows, held-back ones too, for as many epochs as "
        "the kept weights took: that network predicts and is exported; all figures stay the judged one's",
    )
    threshold: Annotated[str | None, BeforeValidator(setting_types.threshold), PLAIN] = declared(
        None,
        "of two classes, from which probability on the second is predicted, found on validation "
        "rows: auto (shares of wrong rows of both count alike), or cost=FP:FN, what a wrong and a missed one "
        "cost, e.g. cost=1:5; default: 0.5",
    )
    time_limit: Seconds | None = declared(
        None,
        "seconds that training may take, e.g. 60 or 1m30s: by the recipe table as many networks "
        "as fit into them are trained; what is measured and drawn afterwards comes on top",
        gt=0,
    )
    coverage: Annotated[float | None, BeforeValidator(setting_types.coverage)] = declared(
        None,
        "the share of new rows whose truth lies in its interval of numbers, or in its set of "
        "classes, e.g. 0.8, found on validation rows; default: intervals of 0.9, no sets",
        gt=0,
        lt=1,
        allow_inf_nan=False,
    )
    every: Int | None = declared(
        None,
        "keep a keyframe each so many steps, to play films and branches from; 64 MB of them "
        "at most: beyond, every second one goes",
        ge=1,
        le=10_000_000_000,
    )
    name: Word | None = declared(None, "name of the run's folder in ./runs; default: wine-1, wine-2, ...")
    out: OutPath | None = declared(None, "the run's folder itself (must not exist, or be empty)")

    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)
    _reasons: tuple[str, ...] = PrivateAttr(())

    def source(self, name: str) -> Source:
        """What the setting's value comes from: the user who typed it, the recipe, the data, or a default."""
        return self._sources.get(name, "typed" if name in self.model_fields_set else "default")

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for each choice that the user left open and that ``decided`` made, in order."""
        return self._reasons

    def decided(self, source: Source, reason: str, **values: Any) -> "Settings":
        """The settings with values that were left open. What a recipe adds is added anew.

        reason: why, for the user; "" if there is nothing to say.
        """
        own = {name: value for name, value in self.explicit.items() if self.source(name) != "recipe"}
        decided = read_settings(own | values)
        known = {name: of for name, of in self._sources.items() if of != "recipe"}
        decided._sources |= known | dict.fromkeys(values, source)
        decided._reasons = (*self._reasons, reason) if reason else self._reasons
        return decided

    def filled(self, values: Mapping[str, Any]) -> "Settings":
        """A copy with these defaults, which are not checked."""
        filled = self.model_copy(update=dict(values))
        filled._sources = self._sources | dict.fromkeys(values, "default")
        return filled

    @property
    def explicit(self) -> dict[str, Any]:
        """The settings that were typed or ``decided``, by name."""
        return {name: getattr(self, name) for name in Settings.model_fields if name in self.model_fields_set}

    @property
    def recorded(self) -> dict[str, Any]:
        """``explicit`` as a folder's JSON holds it, without the place of the folder itself."""
        return self.model_dump(mode="json", include=self.model_fields_set.difference(OF_PLACE))

    @property
    def files(self) -> dict[str, str]:
        """The given settings that name files or folders, with these names."""
        return {name: value for name, value in self.explicit.items() if names_file(name, value)}


FLAGS = {name: flag(name) for name in Settings.model_fields}
MARKS = setting_types.marks_of(Settings)
OF_FILES = {name: mark for name, mark in MARKS.items() if mark is not None and mark.reach}
"""The settings that can name files, with their marks: the table for all who take settings from elsewhere."""


def names_file(name: str, value: object) -> bool:
    """Whether a setting, with this value as ``read_settings`` reads it, names a file or a folder."""
    return name in OF_FILES and OF_FILES[name].holds(value)


def is_plain_row(text: str) -> bool:
    """Whether the settings of ``lr=0.1,optimizer=adam|sgd``, a row of a study or one entry of a space, reach
    nothing. What is no setting, such as the name of a file, may."""
    mark = None
    for part in re.split("[,|]", text):
        name, equals, value = part.partition("=")
        if equals:
            name = name.strip().removeprefix("--").replace("-", "_")
            mark = PLAIN if is_argument(name) else MARKS.get(name)
        if mark is None or mark.of([(value if equals else part).strip()]):
            return False
    return True


def group_of(name: str) -> str:
    """The heading of the setting's group in the help and in the docs."""
    names = [*Settings.model_fields]
    return [group for first, group in GROUPS.items() if names.index(first) <= names.index(name)][-1]


OF_ENGINE = tuple(
    name
    for name in Settings.model_fields
    if group_of(name) in ("Loss and optimizer", "Training loop", "Machine")
    or name in ("init", "ensemble", "clip_target")
)
"""The settings that ``treino.train`` takes as keywords."""
OF_DATA = (*DataSettings.model_fields, "data_seed")
"""The settings for reading, splitting and preparing rows."""
OF_PLACE = ("name", "out")
"""The settings that say where the folder of a training goes, and nothing of the training."""


OFF: Mapping[str, Any] = {
    **dict.fromkeys(("clip", "clip_inputs", "class_weights", "every", "time_limit")),
    **dict.fromkeys(("dropout", "gates", "plain_members", "blocks", "group_norm", "trees"), 0),
    **dict.fromkeys(("weight_decay", "momentum", "ema", "label_smoothing", "warmup", "patience"), 0),
    "schedule": "constant",
    "init": "default",
}
"""The settings that can be off, and the value that means it: what ``none`` stands for."""


def is_none(name: str, value: object) -> bool:
    """Whether the value is the word ``none``, for a setting that can be off."""
    return name in OFF and isinstance(value, str) and value.strip().lower() == "none"


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Check values (texts from a command line, or Python values) and return the settings.

    Raises:
        TreinoError: an unknown name (with the nearest), a wrong type, a value out of range, or two
            settings that contradict each other. Exit status 2.
    """
    values = _with_arguments(values)
    for name, value in values.items():
        if isinstance(value, str) and not value.strip() and (name != "delimiter" or not value):
            message = _("{name} is empty.").format(name=setting(name))
            raise TreinoError(f"{name}_empty", message, _("Give it a value, or leave it out."))
        if name not in Settings.model_fields:
            known = map(setting, Settings.model_fields)
            raise UNKNOWN_SETTING(name=setting(name), hint=nearest(setting(name), known))
    values = {name: OFF[name] if is_none(name, value) else value for name, value in values.items()}
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        raise explained(error.errors()[0], values, Settings) from None
    if settings.net is None and any(getattr(settings, name) is not None for name in OF_CNN):
        settings = settings.model_copy(update={"net": "cnn"})
    if settings.recipe == "table":
        added = table_settings(settings.explicit)
        settings = settings.model_copy(update=added)
        settings._sources = dict.fromkeys(added, "recipe")
    check_rules(settings)
    return settings


def _with_arguments(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values with those of arguments, such as ``net.width``, written into ``net``."""
    arguments = {name: value for name, value in values.items() if is_argument(name)}
    net = setting_types.own(setting_types.path(values.get("net")))
    if not isinstance(net, str) or net in LAYERS:
        if arguments:
            raise NET_ARGUMENT_ALONE(name=next(iter(arguments)))
        return values
    call = NetworkCall.read(net).given({n.removeprefix(ARGUMENT): v for n, v in arguments.items()})
    return {name: v for name, v in values.items() if name not in arguments} | {"net": str(call)}


ONE_OF_THEM, BOTH_OR_NEITHER = N_("Give one of them."), N_("Give both, or neither.")
Rules = tuple[tuple[Refusal, Callable[[Settings], object]], ...]
RULES: Rules = (
    (
        Refusal(
            "[[recipe=table]] makes its own networks, and {b} asks for others.",
            "Leave one of them out.",
            rule="recipe_and_net",
        ),
        lambda s: s.recipe == "table" and s.net not in (None, "mlp") and {"b": setting("net", s.net)},
    ),
    (
        Refusal(
            "{a} and {b} leave no rows to train on.",
            "Their sum must be below 1, e.g. 0.15 and 0.15.",
            rule="shares_sum",
        ),
        lambda s: (
            sum(share for share in (s.validation, s.test) if isinstance(share, float)) >= 1 - 1e-9
            and {"a": setting("validation", s.validation), "b": setting("test", s.test)}
        ),
    ),
    (
        Refusal(
            "[[quantiles]] are {value}.",
            "Give shares between 0 and 1, each once, the smallest first: .1,.5,.9.",
            rule="quantiles_range",
        ),
        lambda s: (
            s.quantiles is not None
            and not (s.quantiles and all(a < b for a, b in pairwise((0.0, *s.quantiles, 1.0))))
            and {"value": ",".join(f"{level:g}" for level in s.quantiles) or _("none")}
        ),
    ),
    (
        Refusal(
            "[[class_weights]] must be above 0; they are {value}.",
            (
                "Give one weight for each class, or 'balanced'. A class that is not to be learnt: leave its "
                "rows out."
            ),
            rule="class_weights_range",
        ),
        lambda s: (
            isinstance(s.class_weights, tuple)
            and min(s.class_weights, default=1) <= 0
            and {"value": ",".join(f"{weight:g}" for weight in s.class_weights)}
        ),
    ),
    (
        Refusal(
            "[[kinds]] holds '{pair}', which is not a column and its kind.",
            "Write NAME=KIND, e.g. month=category.",
            rule="kinds_form",
        ),
        lambda s: next(({"pair": pair} for pair, column, kind in kinds_of(s) if not (column and kind)), None),
    ),
    (
        Refusal("[[kinds]] names '{column}' twice.", "Say once what it is.", rule="kinds_twice"),
        lambda s: next(
            (
                {"column": c}
                for c, n in Counter(column for _pair, column, _kind in kinds_of(s)).items()
                if n > 1
            ),
            False,
        ),
    ),
    (
        Refusal("[[epochs]] and [[steps]] both say how long to train.", ONE_OF_THEM, rule="epochs_and_steps"),
        lambda s: None not in (s.epochs, s.steps),
    ),
    (
        Refusal(
            "[[member_epochs]] has {n} numbers, and {networks} networks are trained.",
            "Give one for each, not all of them 0, or leave it out.",
            rule="member_epochs_count",
        ),
        lambda s: (
            s.member_epochs is not None
            and not (len(s.member_epochs) == s.ensemble and any(s.member_epochs))
            and {"n": len(s.member_epochs), "networks": s.ensemble}
        ),
    ),
    (
        WARMUP_RANGE,  # the engine checks a length in epochs, whose steps the rows decide
        lambda s: s.steps is not None and s.warmup > s.steps and {"n": s.warmup, "steps": s.steps},
    ),
    (
        Refusal("[[name]] and [[out]] both say where the run goes.", ONE_OF_THEM, rule="name_and_out"),
        lambda s: None not in (s.name, s.out),
    ),
    (
        Refusal("[[split_column]] and {a} both say how rows are split.", ONE_OF_THEM, rule="splits_two"),
        lambda s: (
            s.split_column is not None
            and _first(n for n in ("split_group", "split_time") if getattr(s, n) is not None)
        ),
    ),
    (
        Refusal("{value!r} does not name a network.", "{hint}", rule="net_form"),
        lambda s: (
            s.net_file is not None
            and ":" not in s.net_file
            and not is_own(s.net_file)
            and {"value": s.net_file, "hint": nearest(s.net_file, LAYERS) + " " + _(OWN_NETWORK)}
        ),
    ),
    (
        NET_AND_LAYERS,
        lambda s: s.net_file is not None and _first(n for n in OF_NETWORK if n in s.model_fields_set),
    ),
    (
        Refusal(
            "{a} is of the columns of a table, and a convolutional network learns from pictures.",
            "Leave it out.",
            rule="cnn_gates",
        ),
        lambda s: s.net == "cnn" and _first(n for n in ("gates", "plain_members") if getattr(s, n)),
    ),
    (
        Refusal(
            "{a} describes convolutions, and the network has none.",
            "Add [[net=cnn]], or leave {a} out.",
            rule="cnn_settings",
        ),
        lambda s: s.net in (None, "mlp") and _first(n for n in OF_CNN if n in s.model_fields_set),
    ),
    (
        Refusal("[[dropout_spread]] needs [[dropout]].", BOTH_OR_NEITHER, rule="dropout_spread_alone"),
        lambda s: s.dropout_spread and not s.dropout,
    ),
    (
        Refusal("[[plain_members]] needs [[gates]].", BOTH_OR_NEITHER, rule="plain_members_alone"),
        lambda s: s.plain_members and not s.gates,
    ),
    (
        Refusal("[[clip_target]] needs [[ensemble=8]].", BOTH_OR_NEITHER, rule="clip_target_alone"),
        lambda s: s.clip_target and s.ensemble == 1,
    ),
    (
        Refusal(
            "{a} is more than the {n} networks that there are.",
            "Use a smaller number, or a larger [[ensemble]].",
            rule="plain_members_range",
        ),
        lambda s: (
            s.plain_members > s.ensemble and {"a": setting("plain_members", s.plain_members), "n": s.ensemble}
        ),
    ),
    (
        Refusal(
            "[[as_taught]] already holds both faults.",
            "Give [[as_taught]], or [[fault]] for one of them.",
            rule="as_taught_and_fault",
        ),
        lambda s: s.as_taught and s.fault,
    ),
    (
        Refusal("There is no device {name!r}.", "{hint}", rule="device_choice"),
        lambda s: (
            re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", s.device) is None
            and {"name": s.device, "hint": nearest("cuda" if s.device == "gpu" else s.device, DEVICES)}
        ),
    ),
)
"""The settings that contradict each other in every training, whatever its data: the error that says so, and
when: what is true, or the values of the error's fields, breaks the rule."""


def check_rules(s: Settings, rules: Rules = RULES) -> None:
    """Refuse settings that break one of these rules."""
    for refusal, when in rules:
        if broken := when(s):
            raise refusal(**broken) if isinstance(broken, dict) else refusal()


def _first(names: Iterable[str]) -> dict[str, str]:
    """The first of these settings, as the field {a} of an error; {} if there is none."""
    return next(({"a": setting(name)} for name in names), {})


def kinds_of(s: Settings) -> list[tuple[str, str, str]]:
    """(pair as typed, column, kind) of each of ``kinds``."""
    parts = [(pair, pair.rpartition("=")) for pair in s.kinds]
    return [(pair, column.strip(), kind.strip()) for pair, (column, _equals, kind) in parts]


def refuse_layers(s: Settings) -> None:
    """Refuse settings that describe layers, beside a network that is given in Python."""
    if beside := _first(name for name in OF_NETWORK if name in s.model_fields_set):
        raise NET_AND_LAYERS(**beside)


def faults_of(settings: Settings) -> tuple[str, ...]:
    """The deliberate faults of a run, named by the doctor's rules."""
    return FAULTS if settings.as_taught else settings.fault
