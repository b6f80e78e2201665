"""The settings of a training in a folder's documents: as requested, and as resolved."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from treino.documents.fields import DEVICE, WORD, Document, Plain, Task, agree
from treino.errors import TreinoError
from treino.spec import FAULTS, Settings, read_settings

PLACE = ("name", "out")
"""Settings that say where a new folder goes; a document that names them would put it anywhere."""


def _name(name: str) -> str:
    if name not in Settings.model_fields or name in PLACE:
        raise ValueError("no setting")
    return name


DECIDED = (
    "task", "target", "loss", "lr", "batch_size", "patience", "keep", "data_seed", "fault",
    "engine", "threads", "device",
)  # fmt: skip
"""Settings that may be left open when they are typed, and have a value in every training."""
FORMS = dict.fromkeys(("activation", "init", "loss", "optimizer", "schedule", "metric", "engine"), WORD) | {
    "device": DEVICE
}
"""Patterns of names; whether a registry or this machine has them is asked where they are used."""

Name = Annotated[str, AfterValidator(_name)]
"""The name of a setting."""

NET_COPY = re.compile(r"net\.py:[^\W\d]\w*")


def _asked(values: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        fields = read_settings(values).model_fields_set
    except TreinoError as error:
        raise ValueError(error.message) from None
    if placed := fields & set(PLACE):
        raise ValueError(f"{min(placed)} is no setting of a folder")
    return values


Asked = Annotated[dict[str, Plain], AfterValidator(_asked)]
"""Settings as ``read_settings`` takes them: text where they were typed."""


class ResolvedSettings(Settings):
    """Every setting with its value in the training: nothing is left open that the data decides."""

    model_config = Document.model_config

    name: None = Field(default=None, exclude=True)
    out: None = Field(default=None, exclude=True)

    if TYPE_CHECKING:
        task: Task
        target: str
        recipe: Literal["table", "plain"]
        loss: str
        lr: float
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
        """Refuse settings that are left open, or that no registry can have."""
        for name in DECIDED if isinstance(values, Mapping) else ():
            if values.get(name) is None:
                raise ValueError(name)
        return values

    @field_validator("net")
    @classmethod
    def _sealed_copy(cls, net: str | None) -> str | None:
        if net is not None and NET_COPY.fullmatch(net) is None:
            raise ValueError("not the copy in the folder")
        return net

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
