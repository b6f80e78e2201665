"""A study on the terminal: what it compares, how far it is, and its results."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from treino.cli.view import Position
from treino.documents.study_result import StudyResult
from treino.engine import Tick
from treino.escaping import escape
from treino.loop.loop import JobEnd
from treino.plots.style import split_name
from treino.tuning.conclusions import row_name
from treino.tuning.study import StudyJob
from treino.tuning.study_document import table_of
from treino.words import N_, _, numeral

WIDE = 120  # columns of a terminal that has room for intervals
STATUS = {
    "finished": N_("study finished"),
    "interrupted": N_("study interrupted"),
}  # of a masculine word in Portuguese


class StudyView:
    """A study as its display shows it."""

    def __init__(self, job: StudyJob) -> None:
        self.job = job

    def opening(self) -> list[RenderableType]:
        """The text before a study: its data and settings."""
        facts = self.job.facts
        text = _(
            "{data}, {train:,} training rows; networks, in turns: {n}; epochs of each: {epochs}; measured on"
            " {rows:,} {split} rows"
        )
        if self.job.distribution is not None:
            text = _(
                "{data}, {train:,} training rows; networks, on a cluster: {n}; epochs of each: {epochs}; "
                "measured on {rows:,} {split} rows"
            )
        sizes = text.format(
            n=len(facts.rows) * len(facts.seed_list), epochs=facts.epochs, data=facts.data,
            train=facts.split["train"], rows=facts.measured_rows,
            split=split_name(facts.measured_on),
        )  # fmt: skip
        return [sizes, *self.job.data.notes, "", *self.job.folder.notices]

    def position(self, tick: Tick) -> Position:
        """The row whose turn it is, its epoch and its loss."""
        job = self.job
        assert job.now is not None
        losses = job.now.record.loss
        loss = float(tick.loss) if job.distribution is None or not losses else losses[-1]
        return Position(
            done=job.done,
            label=escape(row_name(job.facts.rows[job.now.cell], job.facts)),
            count=_("epoch {n} of {all}").format(n=job.now.record.epochs, all=job.facts.epochs),
            left_s=job.left_s,
            figures={_("loss"): "–" if loss is None else numeral(loss, ".4f")},
        )

    def closing(self) -> str:
        return _("measuring")

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The rows as a table, what they say, and what must be known to read them."""
        return study_summary(StudyResult.model_validate(end.document), narrow=width < WIDE)


def status_line(path: str | Path, status: str) -> str:
    """Where the study is, and how it ended."""
    return _("{path}: {status}").format(path=path, status=_(STATUS.get(status, status)))


def study_summary(result: StudyResult, narrow: bool = False) -> RenderableType:
    """The rows as a table, what they say, and what must be known to read them. narrow: without intervals."""
    headings, lines = table_of(result, narrow)
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in (_("mode"), _("status")) else "right")
    for line in lines:
        table.add_row(*line)
    parts: list[RenderableType] = [table, ""]
    parts += [f"- {sentence}" for sentence in result.answers]
    parts += [_("note: {note}").format(note=note) for note in result.notes]
    over = result.status not in ("running", "interrupted")
    on = _("next  treino plot {path}") if over else _("next  treino resume {path}")
    parts += ["", status_line(result.path, result.status), on.format(path=result.path)]
    return Group(*parts)
