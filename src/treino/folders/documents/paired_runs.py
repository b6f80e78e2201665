"""What ``treino compare`` finds of two runs on the same rows."""

from typing import Any, Literal

from treino.base.document_fields import Count, Document, Many, Number, Share, Text
from treino.base.words import _
from treino.engine.metrics import METRICS

Which = Literal["a", "b"]


class FigureDifference(Document):
    """A figure of both runs on the same rows. low, high: the 95 % interval of b − a; None: it has none.
    better: which run the interval is in favour of; None: it can't be told. p: of McNemar's exact test."""

    metric: Text
    a: Number | None
    b: Number | None
    difference: Number | None
    low: Number | None
    high: Number | None
    p: Share | None = None
    better: Which | None = None


class ChangedRow(Document):
    """A row whose answer differs: its number in the source, from 0, the truth if it is known, both answers
    (lists for several targets). file: the picture's."""

    row: Count
    truth: Any
    a: Any
    b: Any
    file: Text = ""


class PairedRuns(Document):
    """Two runs on the same rows. rows: those of the source; compared: those by which they are judged, which
    have a known target and which neither was trained on; trained_on: how many each was trained on (None: not
    known). groups: of rows that were drawn together. metric: the figure that decides, with better."""

    a: Text
    b: Text
    target: Text
    rows: Count
    compared: Count
    trained_on: dict[Which, Count | None]
    groups: Count | None
    metric: Text
    better: Which | None
    figures: Many[FigureDifference]
    changed: Count
    changed_by: Text
    changed_rows: Many[ChangedRow]
    notes: Many[Text]

    def to_json(self) -> dict[str, Any]:
        """The document of ``treino compare``."""
        return dict(self.model_dump(mode="json"))

    def sentence(self) -> str:
        """Which run is better, or that it can't be told."""
        facts: dict[str, Any] = {"metric": METRICS[self.metric].label or self.metric, "n": self.compared}
        names = {"a": self.a, "b": self.b}
        if self.better is None:
            text = _("Which of {a} and {b} is better can't be told from {n:,} rows, by {metric}.")
            return text.format(**names, **facts)
        text = _("{run} is better on {n:,} rows, by {metric}.")
        return text.format(run=names[self.better], **facts)
