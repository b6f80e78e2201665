"""What is known of a run before its first step, beside its settings; in ``spec.json`` and ``result.json``."""

from pydantic import ConfigDict, Field

from treino.documents.fields import Count, Document, Many, Plain, Rows, Text, Word


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
    currency: Text
    rows: Rows
    features: Many[Text]
    parameters: Count
    layers: Many[LayerFacts]
    reasons: Many[Text]
    notes: Many[Text]
    findings: Many[Finding]
    reproducible: bool
    reproducible_why: Text | None
