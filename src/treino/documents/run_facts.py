"""The part of a run's ``result.json`` that is known before the first step."""

from typing import Annotated

from pydantic import ConfigDict, Field

from treino.documents.fields import (
    Count,
    Device,
    Document,
    Many,
    Plain,
    Rows,
    Size,
    Task,
    Text,
    Threads,
    Word,
)
from treino.documents.settings import ResolvedSettings
from treino.spec import Fault


class LayerFacts(Document):
    name: Text
    kind: Text
    inputs: Text = Field(alias="in")
    outputs: Text = Field(alias="out")
    parameters: Count


class Finding(Document):
    """What the doctor says. It is handed over by name, so that there is no other key."""

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
    task: Task
    target: Text
    currency: Text
    rows: Rows
    features: Many[Text]
    inputs: Size
    classes: Many[Text]
    parameters: Count
    layers: Many[LayerFacts]
    settings: ResolvedSettings
    engine: Word
    threads: Threads
    device: Device
    steps_per_epoch: Annotated[int, Field(ge=1, le=2**53)]
    faults: Many[Fault]
    reasons: Many[Text]
    notes: Many[Text]
    findings: Many[Finding]
    reproducible: bool
    reproducible_why: Text | None
