"""``spec.json`` of a run: settings as requested and as resolved, and the shape of its data."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from treino.documents.data_source import DataSource
from treino.documents.fields import Command, Document, Many, Number, Size, Text, agree
from treino.documents.run_facts import RunFacts
from treino.documents.segments import Parent, Segments
from treino.documents.settings import NET_COPY, Asked, ResolvedSettings


class RunSpec(Document):
    """net: treino's own layers, a copy of the user's file, or a module that was given in Python.

    weights: the name of the run that it began with, where it did.
    """

    asked: Asked
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
    net: Literal["mlp", "file", "given"]
    command: Command
    weights: Text | None
    versions: dict[Text, Text]
    segments: Segments = ()
    parent: Parent | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "RunSpec":
        classes, settings = len(self.classes), self.resolved
        net = self.asked.get("net")
        agreeing = {
            "classes": (settings.task == "classification") == (classes > 0),
            "outputs": not classes or self.outputs in (1, classes),
            "resolved.class_weights": len(settings.class_weights or self.classes) == classes,
            "item_shape": math.prod(self.item_shape) == self.inputs,
            "asked.net": NET_COPY.fullmatch(str(net)) is not None if self.net == "file" else net is None,
            "resolved.hidden": self.net != "mlp" or settings.hidden is not None,
            "resolved.activation": self.net != "mlp" or settings.activation is not None,
            "resolved.dropout": self.net != "mlp" or settings.dropout is not None,
        }
        return agree(self, agreeing)


def initial_document(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the ``train`` document that stands in ``spec.json``. spec: the value of that file."""
    settings, place = spec["resolved"], ("inputs", "classes", "steps_per_epoch", "parent", "segments")
    return {
        **{name: settings[name] for name in ("task", "target")},
        **spec["facts"],
        **{name: spec[name] for name in place if name in spec},
        "settings": settings,
        "faults": settings["fault"],
        **{name: settings[name] for name in ("engine", "threads", "device")},
    }
