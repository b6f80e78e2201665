"""The settings of a training in a folder's documents: as requested, and as resolved."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from treino.documents.fields import (
    Count,
    Device,
    Document,
    Many,
    Pair,
    Plain,
    Seed,
    Task,
    Text,
    Threads,
    Word,
    agree,
)
from treino.errors import TreinoError
from treino.spec import Settings, read_settings

PLACE = ("name", "out")
"""Settings that say where a new folder goes; a document that names them would put it anywhere."""


def _name(name: str) -> str:
    if name not in Settings.model_fields or name in PLACE:
        raise ValueError("no setting")
    return name


Fault = Literal["missing_zero_grad", "softmax_before_cross_entropy"]
Hidden = Annotated[Many[Annotated[int, Field(ge=1, le=1_000_000)]], Field(max_length=1000)]
Weight = Annotated[float, Field(ge=0)]

Name = Annotated[str, AfterValidator(_name)]
"""The name of a setting."""

NET_COPY = re.compile(r"net\.py:[^\W\d]\w*")


def _asked(values: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        given = read_settings(values).model_fields_set
    except TreinoError as error:
        raise ValueError(error.message) from None
    if placed := given & set(PLACE):
        raise ValueError(f"{min(placed)} is no setting of a folder")
    return values


Asked = Annotated[dict[str, Plain], AfterValidator(_asked)]
"""Settings as ``read_settings`` takes them: text where they were typed."""


class ResolvedSettings(Document):
    """Every setting with its value in the training, in the order of ``Settings``. Those with a default are
    missing in the first folders."""

    target: Text | None
    features: Many[Text] | None
    task: Task
    normalise: bool
    kinds: Many[Text] = ()
    impute: Literal["median", "mean"] = "median"
    inputs: Literal["plain", "bins"] = "plain"
    bins: Annotated[int, Field(ge=2, le=1000)] = 16
    clip_inputs: Annotated[float, Field(gt=0)] | None = None
    validation: Annotated[float, Field(ge=0, lt=1)] | Text | None
    test: Annotated[float, Field(ge=0, lt=1)] | Text | None
    split_group: Text | None = None
    split_time: Text | None = None
    split_column: Text | None = None
    fold: Text | None = None
    duplicates: Literal["apart", "ignore"] | None = "apart"
    max_memory: Text | None = None
    delimiter: Text | None = None
    decimal: Text | None = None
    encoding: Text | None = None
    header: Literal["yes", "no"] | None = None
    quote: Text | None = None
    dates: Literal["day/month", "month/day"] | None = None
    sheet: Text | None = None
    recipe: Literal["table", "plain"] = "plain"
    hidden: Hidden | None
    activation: Word | None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    dropout_spread: bool = False
    batch_norm: bool
    gates: Annotated[float, Field(ge=0, le=1000)] = 0.0
    plain_members: Count = 0
    init: Word | None
    net: Text | None
    ensemble: Annotated[int, Field(ge=1, le=256)] = 1
    clip_target: bool = False
    loss: Word
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    class_weights: Many[Weight] | None
    optimizer: Word
    lr: Annotated[float, Field(gt=0, le=1e6)]
    momentum: Annotated[float, Field(ge=0, lt=1)]
    nesterov: bool
    betas: Pair[Annotated[float, Field(ge=0, lt=1)]] | None
    weight_decay: Annotated[float, Field(ge=0, le=1e6)]
    schedule: Word
    warmup: Count
    clip: Annotated[float, Field(gt=0)] | None
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    batch_size: Annotated[int, Field(ge=1, le=2**53)] | Literal["full"]
    epochs: Annotated[int, Field(ge=1, le=10_000_000)] | None
    steps: Annotated[int, Field(ge=1, le=10_000_000_000)] | None
    patience: Count
    metric: Word
    keep: Literal["best", "last"]
    shuffle: Literal["each", "once", "off", "blocks"]
    seed: Seed
    data_seed: Seed
    as_taught: bool = False
    fault: Many[Fault]
    device: Device
    engine: Word
    threads: Threads
    baselines: Literal["usual", "full"] = "usual"
    threshold: Text | None = None
    every: Annotated[int, Field(ge=1, le=10_000_000_000)] | None = None

    @field_validator("net")
    @classmethod
    def _sealed_copy(cls, net: str | None) -> str | None:
        if net is not None and NET_COPY.fullmatch(net) is None:
            raise ValueError("not the copy in the folder")
        return net

    @model_validator(mode="after")
    def _agrees(self) -> "ResolvedSettings":
        return agree(self, {"epochs": (self.epochs is None) != (self.steps is None)})
