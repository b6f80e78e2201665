"""``spec.json`` of a run: settings as typed and as resolved, and the shape of its data."""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from treino.base.document_fields import (
    DEVICE,
    WORD,
    Command,
    Count,
    Document,
    Many,
    Number,
    Pair,
    Plain,
    Rows,
    Seed,
    Size,
    Task,
    Text,
    Word,
    agree,
)
from treino.base.errors import TreinoError
from treino.base.own_objects import OWN, is_own
from treino.data.documents import DataSource
from treino.settings.network_call import NetworkCall, is_argument
from treino.settings.network_settings import LAYERS, NetKind
from treino.settings.spec import FAULTS, OF_PLACE, Settings, Source, read_settings

# ---- settings


def _name(name: str) -> str:
    if (name not in Settings.model_fields and not is_argument(name)) or name in OF_PLACE:
        raise ValueError("no setting")
    return name


DECIDED = (
    *("task", "target", "loss", "lr", "schedule", "batch_size", "patience", "keep", "data_seed", "fault"),
    *("engine", "threads", "device"),
)
"""Settings that a user may omit and that have a value in every training."""
FORMS = dict.fromkeys(("activation", "init", "loss", "optimizer", "schedule", "metric", "engine"), WORD) | {
    "device": DEVICE
}
"""Patterns of names. Code that uses a name checks whether a registry or this machine has it."""

Name = Annotated[str, AfterValidator(_name)]
"""The name of a setting, or of an argument of the network."""

NET_COPY = re.compile(r"net\.py:[^\W\d]\w*(?=\Z|\()")


def _asked(values: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        fields = read_settings(values).model_fields_set
    except TreinoError as error:
        raise ValueError(error.message) from None
    if placed := fields.intersection(OF_PLACE):  # they could name any place
        raise ValueError(f"{min(placed)} is no setting of a folder")
    return values


Asked = Annotated[dict[str, Plain], AfterValidator(_asked)]
"""Settings as ``read_settings`` takes them; typed ones are text."""


class ResolvedSettings(Settings):
    """All settings with their values in the training, including values that the data decides."""

    model_config = Document.model_config

    name: None = Field(default=None, exclude=True)
    out: None = Field(default=None, exclude=True)

    if TYPE_CHECKING:
        task: Task
        target: str
        recipe: Literal["table", "plain"]
        loss: str
        lr: float
        schedule: str
        batch_size: int | Literal["full"]
        patience: int
        keep: Literal["best", "last"]
        data_seed: int
        engine: str
        threads: int
        class_weights: tuple[float, ...] | None

    @model_validator(mode="before")
    @classmethod
    def _written(cls, values: Any) -> Any:
        """Refuse missing values of the settings in DECIDED."""
        known = values if isinstance(values, Mapping) else dict.fromkeys(DECIDED, "")
        return agree(values, {name: known.get(name) is not None for name in DECIDED})

    @model_validator(mode="after")
    def _agrees(self) -> "ResolvedSettings":
        agreeing = {
            "epochs": (self.epochs is None) != (self.steps is None),
            "fault": set(self.fault) <= set(FAULTS),
            "class_weights": not isinstance(self.class_weights, str),
        } | {
            name: (value := getattr(self, name)) is None or re.fullmatch(form, value) is not None
            for name, form in FORMS.items()
        }
        return agree(self, agreeing)

    @property
    def of_a_run(self) -> bool:
        """Whether its network is treino's own, the copy in a run's folder, or one given in Python."""
        net = self.net or "mlp"
        return net in LAYERS or NET_COPY.match(net) is not None or OWN.match(net) is not None


# ---- segments


class Segment(Document):
    """A part of a run that continues an earlier segment from one of its steps, perhaps with other settings.

    origin: the (segment, step) that it goes on from; None for the first. steps_per_epoch: the steps of an
    epoch that begins in the segment. passes_from, optimizer_from: the steps at which its count of epochs, and
    its optimizer's state, began. order_seed: the seed of its row order, if it isn't the data's.
    output_change: the largest change of an output on training rows if the network changes at its first step.
    sender: who began it, as for commands; "" for a person.
    """

    number: Count = 0
    origin: Pair[Count] | None = None
    steps_per_epoch: Annotated[int, Field(ge=1, le=2**53)] = 1
    passes_from: Count = 0
    optimizer_from: Count = 0
    order_seed: Seed | None = None
    output_change: Annotated[float, Field(ge=0)] | None = None
    sender: Text = ""

    @property
    def start(self) -> int:
        """Updates done before the segment's first step."""
        return self.origin[1] if self.origin else 0


def _connected(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments, if each continues an earlier one at a step that the earlier one has, so that every path
    has a beginning."""
    known: dict[int, int] = {}  # the first step by the segment's number
    for place, segment in enumerate(segments):
        number, step = segment.origin or (-1, 0)
        if (segment.origin is None) != (place == 0) or (place and not known.get(number, step + 1) <= step):
            raise ValueError("an origin that is not there")
        if max(segment.passes_from, segment.optimizer_from) > step:
            raise ValueError("a count that begins after the segment")
        known[segment.number] = step
    if any(a.number >= b.number for a, b in pairwise(segments)):
        raise ValueError("numbers in order")
    return segments


Segments = Annotated[Many[Segment], AfterValidator(_connected)]


class Parent(Document):
    """The run, segment and step at which a branch begins. test_looks: how often test rows had been looked at
    by then, as in a result."""

    run: Text
    segment: Count
    step: Count
    test_looks: Count = 0


# ---- facts before the first step


class LayerFacts(Document):
    name: Text
    kind: Text
    inputs: Text = Field(alias="in")
    outputs: Text = Field(alias="out")
    parameters: Count


class Finding(Document):
    """A finding of the doctor. It is passed by name, so no other keys are allowed."""

    model_config = ConfigDict(extra="forbid")

    rule: Word
    severity: Word
    certain: bool
    message: Text
    why: Text
    fix: Text
    file: Text | None
    line: Count | None
    seen: Plain
    evidence: dict[Text, Plain]


class RunFacts(Document):
    """What is known before the first step. steerable: the hyper-parameters that can change while it
    trains."""

    currency: Text
    rows: Rows
    features: Many[Text]
    parameters: Count
    layers: Many[LayerFacts]
    reasons: Many[Text]
    notes: Many[Text]
    findings: Many[Finding]
    steerable: Many[Text]
    reproducible: bool
    reproducible_why: Text | None


# ---- ``spec.json`` of a run


class RunSpec(Document):
    """``spec.json`` of a run.

    asked, resolved: the settings that it began with, as typed and with all values; the table ``changes``
    tells of later ones. The other entries are those of the newest segment.
    sources: what decided those settings in ``asked`` that nobody typed.
    net: treino's own layers, which the settings describe, a copy of the user's file, or a module passed in
    Python. weights: the name of the run whose weights the training began with, if any. machine: {} in older
    runs.
    """

    asked: Asked
    sources: dict[Text, Source] = Field({})
    resolved: ResolvedSettings
    facts: RunFacts
    data: DataSource
    classes: Many[Text]
    inputs: Size
    outputs: Size
    item_shape: Many[Size]
    target_mean: Number
    target_scale: Annotated[float, Field(gt=0)]
    steps_per_epoch: Annotated[int, Field(ge=1, le=2**53)]
    net: NetKind
    command: Command
    weights: Text | None
    like: Text | None = None
    versions: dict[Text, Text]
    machine: dict[Text, Text] = Field({})
    segments: Segments = ()
    parent: Parent | None = None

    def agreeing(self) -> dict[str, bool]:
        classes, settings = len(self.classes), self.resolved
        net = self.asked.get("net")
        known = {"mlp": (None, "mlp"), "cnn": ("cnn",)}.get(self.net, (None,))
        named = NetworkCall.read(str(net)).of
        needed = ("hidden", "activation", "dropout") if self.net in LAYERS else ()
        return {
            "classes": (settings.task == "classification") == (classes > 0),
            "resolved.class_weights": len(settings.class_weights or self.classes) == classes,
            "item_shape": math.prod(self.item_shape) == self.inputs,
            "asked.net": NET_COPY.fullmatch(named) is not None
            if self.net == "file"
            else net in known or (self.net == "given" and is_own(named)),
            "resolved.net": settings.of_a_run and (settings.net == "cnn") == (self.net == "cnn"),
            "resolved.channels": self.net != "cnn" or settings.channels is not None,
            **{f"resolved.{name}": getattr(settings, name) is not None for name in needed},
        }


def initial_document(spec: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the ``train`` document that is known before the newest segment's first step. spec: the
    value of ``spec.json``. settings: all of them at that step."""
    place = ("inputs", "classes", "steps_per_epoch", "parent", "segments")
    return {
        **{name: settings[name] for name in ("task", "target")},
        **spec["facts"],
        **{name: spec[name] for name in place if name in spec},
        "settings": settings,
        "faults": settings["fault"],
        **{name: settings[name] for name in ("engine", "threads", "device")},
    }
